using Danube.Fast.Metadata;

namespace Danube.Fast.EndToEnd.Tests.Cluster;

/// <summary>etcd that dies, freezes, forgets, or cannot be reached by one broker.</summary>
public sealed partial class ClusterFaultTests
{
    /// <summary>What the normal run tries, and what the long one does too.</summary>
    public static TheoryData<string> EtcdFaults => LongMode.IsOn
        ? ["away for 3 s", "away for 60 s", "leader frozen for 15 s", "leader frozen for 40 s", "one broker cut off", "answers held back for one broker", "compacted while one broker is cut off"]
        : ["away for 3 s", "one broker cut off"];

    [Theory(Timeout = 900_000)]
    [MemberData(nameof(EtcdFaults))]
    public Task Etcd_may_fail(string fault) => fault switch
    {
        "away for 3 s" => RunAsync("etcd " + fault, (cluster, _) => RestartEtcdAsync(cluster, 3)),
        "away for 60 s" => RunAsync("etcd " + fault, LeaveWithoutEtcdAsync),
        "leader frozen for 15 s" => RunAsync("etcd's " + fault, (cluster, load) => FreezeEtcdAsync(cluster, load, 15), etcdMembers: 3),
        "leader frozen for 40 s" => RunAsync("etcd's " + fault, (cluster, load) => FreezeEtcdAsync(cluster, load, 40), etcdMembers: 3),
        "one broker cut off" => RunAsync(fault + " from etcd", (cluster, load) => CutOffAsync(cluster, load, p => p.Close(), p => p.Reopen()), proxied: true),
        "answers held back for one broker" => RunAsync("etcd's " + fault, (cluster, load) => CutOffAsync(cluster, load, p => p.HoldAnswers(), p => p.PassAnswers()), proxied: true),
        "compacted while one broker is cut off" => RunAsync("etcd " + fault, CompactAsync, proxied: true),
        _ => throw new ArgumentOutOfRangeException(nameof(fault)),
    };

    private static async Task RestartEtcdAsync(ClusterUnderTest cluster, int seconds)
    {
        await cluster.Etcd.Members[0].KillAsync();
        await Task.Delay(TimeSpan.FromSeconds(seconds));
        await cluster.Etcd.Members[0].StartAsync();
    }

    // Long after every proof has run out nobody acknowledges anything.
    private static async Task LeaveWithoutEtcdAsync(ClusterUnderTest cluster, ClusterLoad load)
    {
        await cluster.Etcd.Members[0].KillAsync();
        await Task.Delay(TimeSpan.FromSeconds(40));
        long before = load.Topics.Sum(t => t.Acknowledged);
        await Task.Delay(TimeSpan.FromSeconds(20));
        Assert.Equal(before, load.Topics.Sum(t => t.Acknowledged));
        await cluster.Etcd.Members[0].StartAsync();
        load.Note("nothing acknowledged in the last 20 s without etcd");
    }

    // Another member leads meanwhile, and all topics go on.
    private static async Task FreezeEtcdAsync(ClusterUnderTest cluster, ClusterLoad load, int seconds)
    {
        EtcdProcess leader = await cluster.Etcd.LeaderAsync(cluster.Store);
        leader.Stop();
        Task until = Task.Delay(TimeSpan.FromSeconds(seconds));
        try
        {
            await ClusterUnderTest.UntilAsync("another member leads", async () => (await cluster.Store.GetStatusAsync()).Any(s => s.IsLeader && s.Endpoint != leader.Endpoint.Authority));
            await load.GoesOnAsync();
            await until;
        }
        finally
        {
            leader.Continue();
        }

        load.Note("another member led and all topics went on before it woke up");
    }

    private static async Task CutOffAsync(ClusterUnderTest cluster, ClusterLoad load, Action<AnswerProxy> cut, Action<AnswerProxy> mend)
    {
        int victim = await load.BusiestAsync(except: await cluster.LeaderAsync());
        load.Note($"broker {victim} owned {await load.OwnsAsync(victim)}");
        cut(cluster.ProxyOf(victim));
        await MemoryMovesAsync(cluster, load, victim);
        await load.OthersGoOnAsync(except: victim);
        await Task.Delay(TimeSpan.FromSeconds(5));
        mend(cluster.ProxyOf(victim));
    }

    // What the broker has seen last is forgotten when it comes back.
    private static async Task CompactAsync(ClusterUnderTest cluster, ClusterLoad load)
    {
        int victim = await load.BusiestAsync(except: await cluster.LeaderAsync());
        load.Note($"broker {victim} owned {await load.OwnsAsync(victim)}");
        cluster.ProxyOf(victim).Close();
        long seen = (await cluster.Store.ListAsync("/cluster/")).Revision;
        await MemoryMovesAsync(cluster, load, victim);
        long now = (await cluster.Store.ListAsync("/cluster/")).Revision;
        await cluster.Store.CompactAsync(now);
        await Assert.ThrowsAsync<MetadataCompactedException>(async () =>
        {
            await foreach (MetadataRevision unexpected in cluster.Store.WatchAsync("", seen + 1))
            {
                Assert.Fail($"{unexpected.Revision} should be forgotten");
            }
        });
        cluster.ProxyOf(victim).Reopen();
        load.Note($"{now - seen} revisions forgotten meanwhile");
    }

    /// <summary>Waits until a topic of class <c>memory</c> has left a broker and goes on.</summary>
    private static async Task MemoryMovesAsync(ClusterUnderTest cluster, ClusterLoad load, int from)
    {
        AuditedTopic memory = await load.OwnedByAsync(from, "memory");
        await ClusterUnderTest.UntilAsync("its memory topic is elsewhere", async () => await cluster.PlaceAsync(memory.Name) is { IsServing: true } place && place.Owner != from);
        await memory.GoesOnAsync();
    }
}
