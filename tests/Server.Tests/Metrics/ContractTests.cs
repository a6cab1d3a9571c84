using System.Net.Http.Json;
using System.Text.Json;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Tests;

/// <summary>
/// /metrics of a broker that does everything there is to do, family by family against the contract (metrics.json). What is missing must be exactly
/// what belongs to parts that are not built yet: the test fails when a family goes missing, and when one has come that is still on the list.
/// </summary>
public sealed class ContractTests
{
    /// <summary>Families of the contract by the part they come with.</summary>
    private static readonly Dictionary<string, string[]> NotBuiltYet = new()
    {
        ["cloud"] =
        [
            "danube_cloud_upload_objects_total", "danube_cloud_upload_bytes_total", "danube_cloud_upload_object_size_bytes", "danube_cloud_upload_latency_ms",
            "danube_cloud_list_total", "danube_cloud_list_latency_ms", "danube_cloud_download_bytes_total", "danube_handoff_cloud_to_wal_total",
        ],
        ["rebalancing"] = ["danube_rebalancing_moves_total", "danube_rebalancing_failures_total", "danube_rebalancing_latency_seconds"],
    };

    [Fact]
    public async Task Every_family_of_the_contract_is_there_but_those_of_parts_not_built_yet()
    {
        using JsonDocument contract = ReadContract();
        MetricPage page = await RunAsync();
        List<string> missing = [];
        foreach ((string kind, string type) in new[] { ("counters", "counter"), ("gauges", "gauge"), ("histograms", "histogram") })
        {
            foreach (JsonProperty family in contract.RootElement.GetProperty(kind).EnumerateObject())
            {
                string[] labels = [.. family.Value.EnumerateArray().Select(l => l.GetString()!)];
                if (page.Families.Find(f => f.Name == family.Name) is not { } found)
                {
                    missing.Add(family.Name);
                    continue;
                }

                Assert.Equal((family.Name, type), (family.Name, found.Type));
                Assert.True(found.Samples.Count > 0, $"{family.Name} has no sample.");
                Assert.All(found.Samples, s => Assert.Equal((family.Name, string.Join(',', labels.Order())), (family.Name, string.Join(',', s.Labels.Keys.Where(l => l != "le").Order()))));
            }
        }

        Assert.Equal(NotBuiltYet.Values.SelectMany(f => f).Order(), missing.Order());
    }

    [Fact]
    public async Task Labels_have_only_the_values_that_the_contract_lists()
    {
        using JsonDocument contract = ReadContract();
        MetricPage page = await RunAsync();
        foreach (JsonProperty rule in contract.RootElement.GetProperty("label_values").EnumerateObject())
        {
            string[] words = rule.Name.Split('.');
            string[] allowed = [.. rule.Value.EnumerateArray().Select(v => v.GetString()!)];
            IEnumerable<PageSample> samples = page.Families.Where(f => words.Length == 1 || f.Name == words[0]).SelectMany(f => f.Samples);
            Assert.All(samples.Where(s => s.Labels.ContainsKey(words[^1])), s => Assert.Contains(s.Labels[words[^1]], allowed));
        }
    }

    [Fact]
    public async Task Histograms_are_complete_and_no_label_names_a_producer_or_a_consumer()
    {
        MetricPage page = await RunAsync();
        List<PageFamily> histograms = [.. page.Families.Where(f => f.Type == "histogram")];
        Assert.NotEmpty(histograms);
        foreach (PageFamily family in histograms)
        {
            foreach (IGrouping<string, PageSample> series in family.Samples.GroupBy(s => string.Join('|', s.Labels.Where(l => l.Key != "le").Select(l => l.Value))))
            {
                PageSample[] buckets = [.. series.Where(s => s.Name == family.Name + "_bucket")];
                Assert.Equal("+Inf", buckets[^1].Labels["le"]);
                Assert.Equal(buckets.Select(b => b.Value).Order(), buckets.Select(b => b.Value));
                Assert.Equal(buckets[^1].Value, series.Single(s => s.Name == family.Name + "_count").Value);
                Assert.Single(series, s => s.Name == family.Name + "_sum");
            }
        }

        Assert.DoesNotContain(page.Families.SelectMany(f => f.Samples).SelectMany(s => s.Labels.Keys), l => l.Contains("producer", StringComparison.Ordinal) || l.Contains("consumer", StringComparison.Ordinal));
        Assert.DoesNotContain(page.Families.SelectMany(f => f.Samples).SelectMany(s => s.Labels.Values), v => v.Contains("the-producer", StringComparison.Ordinal) || v.Contains("the-consumer", StringComparison.Ordinal));
    }

    private static JsonDocument ReadContract() => JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "metrics.json")));

    /// <summary>Publishes, consumes and refuses on topics of every class, then reads the page.</summary>
    private static async Task<MetricPage> RunAsync()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using HttpClient http = broker.Http();
        using RawClient client = await broker.HelloAsync();
        foreach (string durability in new[] { "fsync", "os", "memory" })
        {
            string topic = "/load/" + durability;
            CreateProducerReply producer = await client.CreateProducerAsync(topic, "the-producer", durability);
            SubscribeReply subscribed = await client.SubscribeAsync(topic, durability: durability, consumer: "the-consumer");
            await client.SendAsync(Frames.Credit(subscribed.Channel, 1000, 1 << 20, subscribed.SubscriptionEpoch));
            await client.SendAsync(Frames.Publish(producer, 1, new byte[100], new byte[100]));
            await client.ReceiveAsync(FrameType.Deliver);
            await client.SendAsync(Frames.Ack(subscribed.Channel, subscribed.SubscriptionEpoch, 2));
        }

        await client.RequestAsync(Commands.DeleteTopic, new TopicRequest { Topic = "/no/such" }, ControlJson.Default.TopicRequest);
        await http.GetStringAsync("/admin/v1/topics");
        return await ReportedAsync(http);
    }

    // The first load report follows seconds after the start, and a topic that came since then has been given its broker.
    private static async Task<MetricPage> ReportedAsync(HttpClient http)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(100));
        while (true)
        {
            MetricPage page = await MetricPage.ReadAsync(http);
            if (page.Families.Exists(f => f.Name == "danube_broker_cpu_usage" && f.Samples.Count > 0))
            {
                await http.PostAsJsonAsync("/admin/v1/topics", new { topic = "/load/" + Guid.NewGuid().ToString("N") }, patience.Token);
                page = await MetricPage.ReadAsync(http);
                if (page.Families.Exists(f => f.Name == "danube_load_manager_assignment_latency_ms" && f.Samples.Count > 0))
                {
                    return page;
                }
            }

            await Task.Delay(200, patience.Token);
        }
    }
}
