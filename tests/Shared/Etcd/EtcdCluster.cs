using Danube.Fast.Metadata;

namespace Danube.Fast.Tests.Etcd;

/// <summary>Several members of one etcd cluster.</summary>
internal sealed class EtcdCluster : IAsyncDisposable
{
    private EtcdCluster(EtcdProcess[] members) => Members = members;

    public IReadOnlyList<EtcdProcess> Members { get; }

    public EtcdOptions Options(string prefix) => new() { Endpoints = [.. Members.Select(m => m.Endpoint)], Prefix = prefix };

    public static async Task<EtcdCluster> StartAsync(int count)
    {
        int[] ports = EtcdProcess.FreePorts(2 * count);
        string peers = string.Join(',', Enumerable.Range(0, count).Select(i => $"m{i}=http://127.0.0.1:{ports[(2 * i) + 1]}"));
        EtcdProcess[] members = [.. Enumerable.Range(0, count).Select(i => new EtcdProcess($"m{i}", ports[2 * i], ports[(2 * i) + 1], peers))];
        var cluster = new EtcdCluster(members);
        try
        {
            Array.ForEach(members, m => m.Launch());
            foreach (EtcdProcess member in members)
            {
                await member.WaitUntilHealthyAsync();
            }

            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>The member that leads now.</summary>
    public async Task<EtcdProcess> LeaderAsync(EtcdMetadataStore store)
    {
        while (true)
        {
            EtcdMemberStatus? leader = (await store.GetStatusAsync()).SingleOrDefault(s => s.IsLeader);
            if (leader is not null)
            {
                return Members.Single(m => m.Endpoint.Authority == leader.Endpoint);
            }

            await Task.Delay(100);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (EtcdProcess member in Members)
        {
            await member.DisposeAsync();
        }
    }
}
