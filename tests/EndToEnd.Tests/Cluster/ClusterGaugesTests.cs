using System.Globalization;
using System.Text.Json;
using Danube.Fast.Client;
using Danube.Fast.Harness;
using Danube.Fast.Metadata;
using Danube.Fast.Protocol;

namespace Danube.Fast.EndToEnd.Tests.Cluster;

/// <summary>The pages of three brokers against what etcd holds, what etcd says of itself, and what the audited clients have counted.</summary>
public sealed class ClusterGaugesTests
{
    private const int Partitions = 4;

    [Fact(Timeout = 600_000)]
    public async Task Gauges_of_the_cluster_equal_independent_sums()
    {
        await using ClusterUnderTest cluster = await ClusterUnderTest.StartAsync();
        await using ClusterLoad load = await ClusterLoad.StartAsync(cluster);
        await using (DanubeClient client = await cluster.ConnectAsync())
        {
            await client.CreateTopicAsync(new TopicSpec { Topic = "/audit/parts", Durability = "fsync", Partitions = Partitions });
            await client.CreateTopicAsync(new TopicSpec { Topic = "/audit/gone", Durability = "memory" });
            await cluster.ServedAsync(["/audit/gone"]);
            await client.DeleteTopicAsync("/audit/gone");
        }

        await cluster.ServedAsync(Enumerable.Range(0, Partitions).Select(i => $"/audit/parts-part-{i}"));
        await ClusterUnderTest.UntilAsync("the deleted topic has left", async () => await cluster.PlaceAsync("/audit/gone") is null);

        // While messages come: the leader's sum is that of the reports in etcd.
        double throughput = 0;
        await ClusterUnderTest.UntilAsync("the sum of the throughput is that of the reports", async () =>
        {
            double reported = (await cluster.Store.ListAsync("/cluster/load/")).Entries.Sum(e => Number(e, "total_throughput_mbps"));
            throughput = (await ReadAsync(cluster)).Values.Select(p => p.Find("danube_cluster_total_throughput_mbps")).OfType<double>().Sum();
            return reported > 0 && Math.Abs(throughput - reported) <= 1e-6 * reported;
        });

        // Afterwards: nothing moves any more.
        await load.AuditAsync("gauges");
        Dictionary<string, TopicPlace> places = await cluster.PlacesAsync();
        int leader = await cluster.LeaderAsync();
        long since = Environment.TickCount64;
        while (await CompareAsync(cluster, places, leader) is { Count: > 0 } wrong)
        {
            Assert.True(
                Environment.TickCount64 - since < ClusterUnderTest.Guard.TotalMilliseconds, string.Join(", ", wrong.Select(w => $"{w.What} shows {w.Shown} and is {w.Is}")));
            await Task.Delay(500);
        }

        // Counters of topics, over all brokers, against the auditor's own.
        Dictionary<int, BrokerMetrics> pages = await ReadAsync(cluster);
        long stored = 0, delivered = 0;
        foreach (AuditedTopic topic in load.Topics)
        {
            string name = $"topic=\"{topic.Name}\"";
            Assert.Equal(topic.Acknowledged, pages.Values.Sum(p => p.Find("danube_topic_messages_in_total", name)));
            Assert.Equal(topic.Delivered, pages.Values.Sum(p => p.Find("danube_consumer_receive_total", name, "subscription=\"audit\"")));
            Assert.Equal(0, pages.Values.Sum(p => p.Find("danube_topic_backlog_messages", name, "subscription=\"audit\"")));
            stored += topic.Acknowledged;
            delivered += topic.Delivered;
        }

        LongMode.Report("Cluster, gauges", string.Create(
            CultureInfo.InvariantCulture,
            $"three brokers, {places.Count} topics: owned {string.Join(" + ", places.Values.CountBy(p => p.Owner).OrderBy(c => c.Key).Select(c => c.Value))}, {stored} messages in and {delivered} out, {throughput:0.000} Mbps, brokers, states, leader and quota: all equal to etcd's and the auditor's"));
    }

    // What is not equal yet: gauges are refreshed every 15 seconds.
    private static async Task<List<(string What, double? Shown, double Is)>> CompareAsync(ClusterUnderTest cluster, Dictionary<string, TopicPlace> places, int leader)
    {
        Dictionary<int, BrokerMetrics> pages = await ReadAsync(cluster);
        int members = (await cluster.Store.ListAsync("/cluster/members/")).Entries.Count;
        var wrong = new List<(string, double?, double)>();
        Check("danube_broker_topics_owned of all", pages.Values.Sum(p => p.Find("danube_broker_topics_owned")), places.Count);
        Check("leaders", pages.Values.Sum(p => p.Find("danube_leader_election_state", "state=\"leader\"")), 1);
        foreach ((int id, BrokerMetrics page) in pages)
        {
            string label = string.Create(CultureInfo.InvariantCulture, $"broker_id=\"{id}\"");
            int owned = places.Values.Count(p => p.Owner == id);
            Check($"danube_broker_topics_owned of {id}", page.Find("danube_broker_topics_owned", label), owned);
            Check($"danube_broker_topic_count of {id}", pages[leader].Find("danube_broker_topic_count", label), owned);
            Check($"danube_leader_election_state of {id}", page.Find("danube_leader_election_state", "state=\"leader\""), id == leader ? 1 : 0);
            if (id != leader && page.Find("danube_cluster_topic_count") is { } foreign)
            {
                wrong.Add(($"danube_cluster_topic_count of {id}, which does not lead", foreign, 0));
            }

            foreach (BrokerMetrics seen in pages.Values)
            {
                Check($"assignments of {id}", seen.Find("danube_broker_assignments_total", label, "action=\"assign\"") - (seen.Find("danube_broker_assignments_total", label, "action=\"unassign\"") ?? 0), owned);
            }
        }

        BrokerMetrics leading = pages[leader];
        Check("danube_cluster_broker_count", leading.Find("danube_cluster_broker_count"), members);
        Check("danube_cluster_topic_count", leading.Find("danube_cluster_topic_count"), places.Count);
        Check("danube_cluster_topics, serving", leading.Find("danube_cluster_topics", "state=\"serving\""), places.Values.Count(p => p.IsServing));
        Check("danube_cluster_topics", leading.Find("danube_cluster_topics"), places.Count);
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(60) };
        BrokerMetrics etcd = BrokerMetrics.Parse(await http.GetStringAsync(new Uri(cluster.Etcd.Members[0].Endpoint, "/metrics")));
        Check("danube_metadata_quota_bytes", leading.Find("danube_metadata_quota_bytes"), etcd.Sum("etcd_server_quota_backend_bytes"));
        return wrong;

        void Check(string what, double? shown, double expected)
        {
            if (shown != expected)
            {
                wrong.Add((what, shown, expected));
            }
        }
    }

    private static async Task<Dictionary<int, BrokerMetrics>> ReadAsync(ClusterUnderTest cluster)
    {
        var pages = new Dictionary<int, BrokerMetrics>();
        foreach ((int id, BrokerProcess broker) in cluster.Running)
        {
            pages[id] = await BrokerMetrics.ReadAsync(broker.Http);
        }

        return pages;
    }

    private static double Number(MetadataEntry entry, string member)
    {
        using JsonDocument document = JsonDocument.Parse(entry.Value);
        return document.RootElement.GetProperty(member).GetDouble();
    }
}
