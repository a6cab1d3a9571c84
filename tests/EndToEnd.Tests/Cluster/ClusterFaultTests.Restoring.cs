using Danube.Fast.Client;

namespace Danube.Fast.EndToEnd.Tests.Cluster;

/// <summary>etcd that goes back to an older state: its revisions are used a second time, and what it says of owners is no longer true.</summary>
public sealed partial class ClusterFaultTests
{
    /// <summary>What the normal run tries, and what the long one does too.</summary>
    public static TheoryData<string> Restorations => LongMode.IsOn
        ? ["while the brokers run, after a drain", "while the brokers run, after a broker was away", "while the brokers are down"]
        : ["while the brokers run, after a drain"];

    [Theory(Timeout = 900_000)]
    [MemberData(nameof(Restorations))]
    public Task Etcd_may_be_restored_from_an_older_copy(string when) => RunAsync("etcd restored from an older copy " + when, async (cluster, load) =>
    {
        string copy = Path.Combine(Path.GetTempPath(), $"danube-etcd-{Guid.NewGuid():n}.copy");
        try
        {
            await cluster.Etcd.Members[0].SaveAsync(copy);
            Dictionary<string, TopicPlace> then = await cluster.PlacesAsync();
            int victim = await load.BusiestAsync(except: await cluster.LeaderAsync());
            string[] moved = [.. then.Where(p => p.Value.Owner == victim && p.Key.Contains("memory", StringComparison.Ordinal)).Select(p => p.Key)];
            Assert.NotEmpty(moved);
            switch (when)
            {
                case "while the brokers run, after a drain":
                    await cluster.UnloadAsync(victim);
                    await MovedAsync(cluster, moved, victim);
                    await cluster.ActivateAsync(victim);
                    break;
                case "while the brokers run, after a broker was away":
                    await cluster.KillAsync(victim);
                    await MovedAsync(cluster, moved, victim);
                    await cluster.StartBrokerAsync(victim);
                    break;
                default:
                    await Task.WhenAll(Enumerable.Range(1, 3).Select(cluster.KillAsync));
                    break;
            }

            int late = 0;
            if (cluster.Running.Count > 0)
            {
                await load.GoesOnAsync();
                late = await PublishLateAsync(cluster);
            }

            await cluster.Etcd.Members[0].KillAsync();
            await cluster.Etcd.Members[0].RestoreAsync(copy);
            await cluster.Etcd.Members[0].StartAsync();
            if (late == 0)
            {
                await Task.WhenAll(Enumerable.Range(1, 3).Select(cluster.StartBrokerAsync));
            }

            await load.GoesOnAsync();
            if (late > 0)
            {
                load.Note($"{moved.Length} memory topics had moved since the copy");

                // Nobody knows this topic any more; its messages are put aside, not deleted.
                string orphans = Path.Combine(cluster.FolderOf(late), "orphans");
                await ClusterUnderTest.UntilAsync("the topic that is not in the copy is put aside", () => Task.FromResult(
                    Directory.Exists(orphans) && Directory.EnumerateFiles(orphans, "*", SearchOption.AllDirectories).Any(f => File.ReadAllBytes(f).AsSpan().IndexOf("message of the late topic"u8) >= 0)));
                load.Note("a topic that is younger than the copy was put aside with its messages");
            }
        }
        finally
        {
            File.Delete(copy);
        }
    });

    private static Task MovedAsync(ClusterUnderTest cluster, string[] topics, int from) => ClusterUnderTest.UntilAsync("its memory topics are elsewhere", async () =>
    {
        Dictionary<string, TopicPlace> now = await cluster.PlacesAsync();
        return topics.All(t => now[t] is { IsServing: true } place && place.Owner != from);
    });

    // The owner of a topic that is younger than the copy.
    private static async Task<int> PublishLateAsync(ClusterUnderTest cluster)
    {
        await using DanubeClient client = await cluster.ConnectAsync();
        await ClusterUnderTest.CreateAsync(client, "/a/late");
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = "/a/late" });
        await producer.SendAsync("message of the late topic"u8.ToArray());
        return (await cluster.PlaceAsync("/a/late"))!.Owner;
    }
}
