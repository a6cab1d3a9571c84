using System.Net.Http.Json;
using System.Text.Json;
using Danube.Fast.LoadManager;
using Danube.Fast.Metadata;
using Danube.Fast.Protocol;
using Danube.Fast.Server.Cluster;

namespace Danube.Fast.Server.Tests;

/// <summary>Two brokers of one cluster in this process: reports, status, and calls that reach the right broker by themselves.</summary>
public sealed class TwoBrokersTests
{
    [Fact]
    public async Task Any_broker_answers_for_all()
    {
        using var folder = new TempFolder();
        await using EmbeddedMetadataStore store = EmbeddedMetadataStore.Open(Path.Combine(folder.Path, "store"));
        await using BrokerHost first = await StartAsync(store, folder.Path, 1);
        await using BrokerHost second = await StartAsync(store, folder.Path, 2);
        using HttpClient http1 = Http(first), http2 = Http(second);
        await UntilAsync(http1, "/admin/v1/cluster/rankings", r => r.GetProperty("brokers").EnumerateArray().Count(b => b.GetProperty("standing").GetString() == "ranked") == 2);
        await UntilAsync(http2, "/admin/v1/cluster/status", s => s.TryGetProperty("leader", out _));
        for (int t = 0; t < 6; t++)
        {
            using HttpResponseMessage created = await http1.PostAsJsonAsync("/admin/v1/topics", new { topic = $"/two/t{t}", durability = "fsync" });
            Assert.True(created.IsSuccessStatusCode, await created.Content.ReadAsStringAsync());
        }

        // Both have some, and each broker shows all as they are.
        JsonElement status = await UntilAsync(http2, "/admin/v1/cluster/status", s => s.GetProperty("topics").GetProperty("serving").GetInt32() == 6);
        Assert.Equal(["up", "up"], status.GetProperty("brokers").EnumerateArray().Select(b => b.GetProperty("state").GetString()));
        Assert.All(status.GetProperty("brokers").EnumerateArray(), b => Assert.InRange(b.GetProperty("proof_age_seconds").GetDouble(), 0, 60));
        Assert.All(status.GetProperty("brokers").EnumerateArray(), b => Assert.Equal(3, b.GetProperty("topics").GetInt32()));
        foreach (HttpClient http in new[] { http1, http2 })
        {
            // A topic counts as served a moment before its owner has heard that it may.
            await UntilAsync(
                http,
                "/admin/v1/topics?namespace=two",
                l => l.GetProperty("topics").EnumerateArray().Select(t => t.GetProperty("state").GetString()).SequenceEqual(Enumerable.Repeat("ok", 6)));
            for (int t = 0; t < 6; t++)
            {
                JsonElement topic = await http.GetFromJsonAsync<JsonElement>($"/admin/v1/topics/two/t{t}");
                Assert.Equal("ok", topic.GetProperty("state").GetString());
                using HttpResponseMessage purged = await http.PostAsJsonAsync($"/admin/v1/topics/two/t{t}/purge", new { });
                Assert.True(purged.IsSuccessStatusCode, await purged.Content.ReadAsStringAsync());
                JsonElement explained = await http.GetFromJsonAsync<JsonElement>($"/admin/v1/cluster/explain?topic=/two/t{t}");
                Assert.Equal("decision", explained.GetProperty("kind").GetString());
                Assert.Equal(explained.GetProperty("broker").GetInt32(), explained.GetProperty("owner").GetInt32());
            }

            JsonElement reports = await http.GetFromJsonAsync<JsonElement>("/admin/v1/cluster/load-reports");
            Assert.Equal([1, 2], reports.GetProperty("reports").EnumerateArray().Select(r => r.GetProperty("broker").GetInt32()));
            for (int t = 0; t < 6; t++)
            {
                MetricPage detailed = await MetricPage.ReadAsync(http, $"/metrics/detailed?topic=/two/t{t}");
                Assert.NotEmpty(detailed["danube_topic_size_bytes"].Samples);
            }
        }

        // Three of the six are with the other broker: their producers are told so.
        using (RawClient client = await RawClient.ConnectAsync(first.NativeEndPoint))
        {
            await client.HelloAsync();
            for (int t = 0; t < 6; t++)
            {
                await client.RequestAsync(Commands.CreateProducer, new CreateProducerRequest { Topic = $"/two/t{t}", Name = "p" }, ControlJson.Default.CreateProducerRequest);
            }
        }

        // The gauges are the leader's alone, and add up.
        MetricPage page1 = await RenewedAsync(http1), page2 = await RenewedAsync(http2);
        Assert.Equal(3, page1.Sum("danube_client_redirects_total", ("service", "broker"), ("reason", "not_owner")));
        Assert.All(new[] { page1, page2 }, p => Assert.InRange(p.Sum("danube_admin_rpc_total", ("method", "forward"), ("result", "ok")), 9, int.MaxValue));
        Assert.Equal(1, page1.Sum("danube_leader_election_state", ("state", "leader")) + page2.Sum("danube_leader_election_state", ("state", "leader")));
        MetricPage leading = page1.Sum("danube_leader_election_state", ("state", "leader")) == 1 ? page1 : page2, following = leading == page1 ? page2 : page1;
        Assert.Equal(2, leading.Sum("danube_cluster_broker_count"));
        Assert.Empty(following["danube_cluster_broker_count"].Samples);
        Assert.Single(following["danube_owner_proof_age_seconds"].Samples);
        Assert.Equal((3, 3), (page1.Sum("danube_broker_topics_owned", ("broker_id", "1")), page2.Sum("danube_broker_topics_owned", ("broker_id", "2"))));
    }

    [Fact]
    public async Task A_drained_broker_says_what_stays_and_comes_back()
    {
        using var folder = new TempFolder();
        await using EmbeddedMetadataStore store = EmbeddedMetadataStore.Open(Path.Combine(folder.Path, "store"));
        await using BrokerHost first = await StartAsync(store, folder.Path, 1);
        await using BrokerHost second = await StartAsync(store, folder.Path, 2);
        using HttpClient http = Http(first);
        await UntilAsync(http, "/admin/v1/cluster/rankings", r => r.GetProperty("brokers").EnumerateArray().Count(b => b.GetProperty("standing").GetString() == "ranked") == 2);
        JsonElement unloaded = await (await http.PostAsJsonAsync("/admin/v1/brokers/2/unload", new { })).Content.ReadFromJsonAsync<JsonElement>();
        Assert.Contains(unloaded.GetProperty("mode").GetString(), new[] { "draining", "drained" });
        await UntilAsync(http, "/admin/v1/cluster/rankings", r => r.GetProperty("brokers").EnumerateArray().Any(b => b.GetProperty("broker").GetInt32() == 2 && b.GetProperty("standing").GetString() == "inactive"));
        JsonElement active = await (await http.PostAsJsonAsync("/admin/v1/brokers/2/activate", new { })).Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal("active", active.GetProperty("mode").GetString());
        using HttpResponseMessage removed = await http.DeleteAsync("/admin/v1/brokers/2");
        Assert.False(removed.IsSuccessStatusCode);
        Assert.Contains("Broker 2 is there", await removed.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bad_records_of_one_broker_hide_nothing_of_the_others()
    {
        using var folder = new TempFolder();
        await using EmbeddedMetadataStore store = EmbeddedMetadataStore.Open(Path.Combine(folder.Path, "store"));
        await using BrokerHost first = await StartAsync(store, folder.Path, 1);
        using HttpClient http = Http(first);
        await UntilAsync(http, "/admin/v1/cluster/rankings", r => r.GetProperty("brokers").EnumerateArray().Count(b => b.GetProperty("standing").GetString() == "ranked") == 1);
        using HttpResponseMessage created = await http.PostAsJsonAsync("/admin/v1/topics", new { topic = "/two/t" });
        Assert.True(created.IsSuccessStatusCode, await created.Content.ReadAsStringAsync());
        await store.PutAsync(ClusterKeys.Member(8), new MemberRecord { HttpAddress = "no:address:x" }.Encode());
        await store.PutAsync(ClusterKeys.Member(9), new MemberRecord().Encode());
        await store.PutAsync(ClusterKeys.Load(9), "no report"u8.ToArray());
        await UntilAsync(http, "/admin/v1/cluster/status", s => s.GetProperty("brokers").GetArrayLength() == 3);
        JsonElement reports = await UntilAsync(http, "/admin/v1/cluster/load-reports", r => r.GetProperty("reports").GetArrayLength() == 2);
        Assert.Equal([true, false], reports.GetProperty("reports").EnumerateArray().Select(r => r.TryGetProperty("report", out _)));
        JsonElement list = await http.GetFromJsonAsync<JsonElement>("/admin/v1/topics?namespace=two");
        Assert.Equal(1, list.GetProperty("topics").GetArrayLength());
    }

    private static Task<BrokerHost> StartAsync(IMetadataStore store, string folder, int id) => BrokerHost.StartAsync(new BrokerOptions
    {
        BrokerName = $"broker-{id}",
        Port = 0,
        HttpPort = 0,
        DataDirectory = Path.Combine(folder, $"b{id}"),
        Wal = new WalSettings { LowSpaceBytes = 0 },
        Timeouts = new TimeoutOptions { DrainMs = 500 },
        MetaStore = MetaStore.Etcd,
        Cluster = new ClusterOptions { BrokerId = id, OpenStore = () => new SharedStore(store) },
        LoadManager = new LoadManagerOptions { ResourceSampleSeconds = 1 },
    });

    private static HttpClient Http(BrokerHost host) => new() { BaseAddress = new Uri($"http://{host.HttpEndPoint}"), Timeout = TimeSpan.FromSeconds(100) };

    /// <summary>The metrics of a broker that has renewed its session at least once.</summary>
    private static async Task<MetricPage> RenewedAsync(HttpClient http)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(100));
        while (true)
        {
            MetricPage page = await MetricPage.ReadAsync(http);
            if (page.Sum("danube_metadata_request_latency_ms_count", ("op", "renew"), ("result", "ok")) > 0)
            {
                return page;
            }

            await Task.Delay(100, patience.Token);
        }
    }

    private static async Task<JsonElement> UntilAsync(HttpClient http, string path, Func<JsonElement, bool> until)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(100));
        while (true)
        {
            JsonElement answer = await http.GetFromJsonAsync<JsonElement>(path, patience.Token);
            if (until(answer))
            {
                return answer;
            }

            await Task.Delay(100, patience.Token);
        }
    }

    /// <summary>A connection of one broker to the store that both share: closing it leaves the store open.</summary>
    private sealed class SharedStore(IMetadataStore inner) : IMetadataStore
    {
        public ValueTask<MetadataEntry?> GetAsync(string key, CancellationToken cancellationToken = default) => inner.GetAsync(key, cancellationToken);

        public ValueTask<MetadataListing> ListAsync(string prefix, CancellationToken cancellationToken = default) => inner.ListAsync(prefix, cancellationToken);

        public ValueTask<MetadataUpdate> PutAsync(string key, ReadOnlyMemory<byte> value, long? expectedRevision = null, CancellationToken cancellationToken = default) => inner.PutAsync(key, value, expectedRevision, cancellationToken);

        public ValueTask<MetadataUpdate> DeleteAsync(string key, long? expectedRevision = null, CancellationToken cancellationToken = default) => inner.DeleteAsync(key, expectedRevision, cancellationToken);

        public ValueTask<TransactionResult> CommitAsync(MetadataTransaction transaction, CancellationToken cancellationToken = default) => inner.CommitAsync(transaction, cancellationToken);

        public ValueTask<MetadataLease> GrantLeaseAsync(TimeSpan timeToLive, CancellationToken cancellationToken = default) => inner.GrantLeaseAsync(timeToLive, cancellationToken);

        public ValueTask<bool> RenewLeaseAsync(long leaseId, CancellationToken cancellationToken = default) => inner.RenewLeaseAsync(leaseId, cancellationToken);

        public ValueTask<bool> RevokeLeaseAsync(long leaseId, CancellationToken cancellationToken = default) => inner.RevokeLeaseAsync(leaseId, cancellationToken);

        public IAsyncEnumerable<MetadataRevision> WatchAsync(string prefix, long fromRevision, CancellationToken cancellationToken = default) => inner.WatchAsync(prefix, fromRevision, cancellationToken);

        public ValueTask CompactAsync(long revision, CancellationToken cancellationToken = default) => inner.CompactAsync(revision, cancellationToken);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
