using System.Diagnostics;
using System.Globalization;
using Danube.Fast.Client;
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
        DanubeClient[] clients = await Task.WhenAll(cluster.Running.Values.Select(b => DanubeClient.ConnectAsync(b.Url)));
        try
        {
            string[] names = [.. Enumerable.Range(0, Count).Select(i => $"/spread/t-{i}")];
            long start = Stopwatch.GetTimestamp();
            await Task.WhenAll(names.Select((name, i) => clients[i % clients.Length].CreateTopicAsync(new TopicSpec { Topic = name, Durability = "fsync" }))).WaitAsync(ClusterUnderTest.Guard);
            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            await cluster.ServedAsync(names);
            int[] counts = [.. (await cluster.PlacesAsync()).Values.CountBy(p => p.Owner).OrderBy(c => c.Key).Select(c => c.Value)];
            LongMode.Report("Cluster, placement", string.Create(CultureInfo.InvariantCulture, $"{Count} topics created and served in {seconds:0.0} s; {string.Join(" / ", counts)} on three brokers"));
            Assert.Equal(3, counts.Length);
            Assert.Equal(Count, counts.Sum());
            Assert.True(counts.Max() <= counts.Min() * 1.05, $"{string.Join(" / ", counts)} is not within 5 %.");
        }
        finally
        {
            await Task.WhenAll(clients.Select(c => c.DisposeAsync().AsTask()));
        }
    }
}
