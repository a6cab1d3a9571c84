using System.Diagnostics;
using System.Globalization;
using Danube.Fast.Client;
using Danube.Fast.Metadata;
using Danube.Fast.Protocol;

namespace Danube.Fast.EndToEnd.Tests.Cluster;

/// <summary>Where a cluster of real processes puts topics.</summary>
public sealed class ClusterPlacementTests
{
    /// <summary>Equal brokers get equal shares, also when all topics come at once and through all brokers.</summary>
    [Fact(Timeout = 300_000)]
    public async Task A_thousand_topics_at_once_are_spread_evenly_over_three_brokers()
    {
        const int Count = 1_000;
        await using ClusterUnderTest cluster = await ClusterUnderTest.StartAsync();
        DanubeClient[] clients = await Task.WhenAll(cluster.Running.Values.Select(b => DanubeClient.ConnectAsync(b.Url, new DanubeClientOptions { RequestTimeout = ClusterUnderTest.Guard })));
        try
        {
            string[] names = [.. Enumerable.Range(0, Count).Select(i => $"/spread/t-{i}")];
            long from = (await cluster.Store.ListAsync("/topics/")).Revision;
            long start = Stopwatch.GetTimestamp();
            using var guard = new CancellationTokenSource(ClusterUnderTest.Guard);
            Task<double> accepted = AcceptedAsync(cluster.Store, from, Count, start, guard.Token);
            Task[] creating = [.. names.Select((name, i) => clients[i % clients.Length].CreateTopicAsync(new TopicSpec { Topic = name, Durability = "fsync" }))];
            double sent = Stopwatch.GetElapsedTime(start).TotalSeconds;
            await Task.WhenAll(creating);
            double answered = Stopwatch.GetElapsedTime(start).TotalSeconds;
            await cluster.ServedAsync(names);
            double served = Stopwatch.GetElapsedTime(start).TotalSeconds;
            int[] counts = [.. (await cluster.PlacesAsync()).Values.CountBy(p => p.Owner).OrderBy(c => c.Key).Select(c => c.Value)];
            double recorded = await accepted;
            LongMode.Report("Cluster, placement", string.Create(CultureInfo.InvariantCulture, $"{Count} topics sent in {sent:0.00} s, recorded in {recorded:0.00} s, answered in {answered:0.00} s, served in {served:0.00} s; {string.Join(" / ", counts)} on three brokers"));
            Assert.Equal(3, counts.Length);
            Assert.Equal(Count, counts.Sum());
            Assert.True(counts.Max() <= counts.Min() * 1.05, $"{string.Join(" / ", counts)} is not within 5 %.");
        }
        finally
        {
            await Task.WhenAll(clients.Select(c => c.DisposeAsync().AsTask()));
        }
    }

    // Seconds until etcd had the last of them.
    private static async Task<double> AcceptedAsync(EtcdMetadataStore store, long from, int count, long start, CancellationToken cancellationToken)
    {
        int made = 0;
        await foreach (MetadataRevision revision in store.WatchAsync("/topics/", from + 1, cancellationToken))
        {
            made += revision.Changes.Count;
            if (made >= count)
            {
                break;
            }
        }

        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
