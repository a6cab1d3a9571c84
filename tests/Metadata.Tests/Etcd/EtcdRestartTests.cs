using System.Text;

namespace Danube.Fast.Metadata.Tests.Etcd;

/// <summary>etcd restarts, and a leader of three dies or freezes.</summary>
public sealed class EtcdRestartTests
{
    private static readonly TimeSpan HangGuard = TimeSpan.FromSeconds(100);

    [Fact]
    public async Task A_store_outlives_a_restart_of_etcd()
    {
        await using EtcdProcess etcd = await EtcdProcess.StartSingleAsync();
        await using var store = new EtcdMetadataStore(new EtcdOptions { Endpoints = [etcd.Endpoint], RetryTimeout = HangGuard });
        MetadataLease lease = await store.GrantLeaseAsync(TimeSpan.FromSeconds(100));
        long first = (await store.CommitAsync(new MetadataTransaction().Put("/m", Bytes("1"), lease.Id))).Revision;
        await using IAsyncEnumerator<MetadataRevision> watch = store.WatchAsync("/", first).GetAsyncEnumerator();
        Assert.True(await watch.MoveNextAsync());
        Task<bool> next = watch.MoveNextAsync().AsTask();
        await etcd.KillAsync();
        Task<MetadataEntry?> read = store.GetAsync("/m").AsTask();
        Assert.Equal(MetadataOutcome.Unknown, (await store.CommitAsync(new MetadataTransaction().Put("/down", Bytes("1")))).Outcome);
        await etcd.StartAsync();
        Assert.Equal(first, (await read.WaitAsync(HangGuard))!.Revision);
        Assert.True(await store.RenewLeaseAsync(lease.Id));
        Assert.True((await store.PutAsync("/up", Bytes("1"))).Succeeded);
        Assert.True(await next.WaitAsync(HangGuard));
        Assert.Equal("/up", watch.Current.Changes.Single().Key);
    }

    [Theory]
    [InlineData("SIGKILL")]
    [InlineData("SIGSTOP")]
    public async Task Nothing_that_was_answered_is_lost_when_the_leader_of_three_goes(string signal)
    {
        await using EtcdCluster cluster = await EtcdCluster.StartAsync(3);
        EtcdOptions options = cluster.Options("/danube") with { RetryTimeout = HangGuard };
        await using var store = new EtcdMetadataStore(options);
        await using var auditor = new EtcdMetadataStore(options);
        long next = (await store.ListAsync("")).Revision + 1;
        MetadataLease lease = await store.GrantLeaseAsync(TimeSpan.FromSeconds(100));
        using var end = new CancellationTokenSource(HangGuard);
        var watched = new List<string>();
        Task watching = WatchAsync();
        var answered = new List<string>();
        int unknown = 0;
        await WriteAsync("before", 20);
        EtcdProcess leader = await cluster.LeaderAsync(auditor);
        if (signal == "SIGKILL")
        {
            await leader.KillAsync();
        }
        else
        {
            leader.Stop();
        }

        await WriteAsync("without", 20);
        Assert.True(await store.RenewLeaseAsync(lease.Id));
        if (signal == "SIGKILL")
        {
            await leader.StartAsync();
        }
        else
        {
            leader.Continue();
        }

        await WriteAsync("after", 20);
        MetadataListing listing = await auditor.ListAsync("/w/");
        Assert.Empty(answered.Except(listing.Entries.Select(e => e.Key)));
        Assert.All(listing.Entries, e => Assert.Equal(1, e.Version));
        Assert.InRange(listing.Entries.Count, answered.Count, answered.Count + unknown);
        await store.PutAsync("/w/end", Bytes("1"));
        await watching.WaitAsync(HangGuard);
        Assert.Equal(listing.Entries.OrderBy(e => e.Revision).Select(e => e.Key), watched);

        async Task WriteAsync(string phase, int count)
        {
            for (int done = 0, i = 0; done < count; i++)
            {
                end.Token.ThrowIfCancellationRequested();
                string key = $"/w/{phase}/{i}";
                TransactionResult result = await store.CommitAsync(new MetadataTransaction().IfAbsent(key).Put(key, Bytes("1")));
                Assert.NotEqual(MetadataOutcome.Refused, result.Outcome);
                if (result.IsDone)
                {
                    answered.Add(key);
                    done++;
                }
                else
                {
                    unknown++;
                    await Task.Delay(100, end.Token);
                }
            }
        }

        async Task WatchAsync()
        {
            await foreach (MetadataRevision revision in store.WatchAsync("/w/", next, end.Token))
            {
                string key = Assert.Single(revision.Changes).Key;
                if (key == "/w/end")
                {
                    return;
                }

                watched.Add(key);
            }
        }
    }

    private static ReadOnlyMemory<byte> Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
