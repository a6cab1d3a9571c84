using System.Globalization;
using System.Text.Json;
using Danube.Fast.Client;
using Danube.Fast.Harness;
using Danube.Fast.Metadata;
using Danube.Fast.Protocol;

namespace Danube.Fast.EndToEnd.Tests.Cluster;

/// <summary>Real broker processes on a real etcd, on free loopback ports. Brokers keep their ports and folders when they die and come back.</summary>
internal sealed class ClusterUnderTest : IAsyncDisposable
{
    /// <summary>A hang guard for everything that is waited for here.</summary>
    public static readonly TimeSpan Guard = TimeSpan.FromSeconds(180);

    private readonly List<DataFolder> _folders = [];
    private readonly Dictionary<int, BrokerProcess> _running = [];
    private readonly Dictionary<int, AnswerProxy> _proxies = [];
    private readonly Dictionary<int, int> _ports = [];
    private readonly Dictionary<int, string> _clocks = [];

    private ClusterUnderTest(EtcdCluster etcd)
    {
        Etcd = etcd;
        Store = new EtcdMetadataStore(etcd.Options("/danube"));
    }

    public EtcdCluster Etcd { get; }

    /// <summary>The cluster's metadata, as an observer beside the brokers sees it.</summary>
    public EtcdMetadataStore Store { get; }

    public IReadOnlyDictionary<int, BrokerProcess> Running => _running;

    /// <summary>Ports for clients of all brokers, dead or alive.</summary>
    public IReadOnlyDictionary<int, int> Ports => _ports;

    /// <summary>Addresses of all brokers, dead or alive.</summary>
    public string Url => string.Join(',', _ports.OrderBy(p => p.Key).Select(p => $"127.0.0.1:{p.Value.ToString(CultureInfo.InvariantCulture)}"));

    /// <param name="brokers">How many, with ids from 1.</param>
    /// <param name="etcdMembers">1 or 3.</param>
    /// <param name="proxied">Each broker reaches etcd through a proxy of its own, which can be cut.</param>
    /// <param name="clocked">Each broker has a wall clock of its own, which can be set (<see cref="SetClockAsync"/>).</param>
    public static async Task<ClusterUnderTest> StartAsync(int brokers = 3, int etcdMembers = 1, bool proxied = false, bool clocked = false)
    {
        var cluster = new ClusterUnderTest(await EtcdCluster.StartAsync(etcdMembers));
        try
        {
            for (int id = 1; id <= brokers; id++)
            {
                cluster._folders.Add(new DataFolder());
                cluster._ports[id] = BrokerOptions.FreePort();
                if (proxied)
                {
                    cluster._proxies[id] = new AnswerProxy(cluster.Etcd.Members[0].ClientPort);
                }

                if (clocked)
                {
                    cluster._clocks[id] = Path.Combine(cluster._folders[^1].Path, "..", Path.GetFileName(cluster._folders[^1].Path) + ".clock");
                    await cluster.SetClockAsync(id, TimeSpan.Zero);
                }
            }

            await Task.WhenAll(Enumerable.Range(1, brokers).Select(cluster.StartBrokerAsync));

            // From then on all of them count as places for topics.
            await UntilAsync("every broker is ranked by the one that leads", cluster.IsRankedAsync);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>What stands between a broker and etcd.</summary>
    public AnswerProxy ProxyOf(int broker) => _proxies[broker];

    /// <summary>The data folder of a broker.</summary>
    public string FolderOf(int broker) => _folders[broker - 1].Path;

    /// <summary>Sets a broker's wall clock, within a second.</summary>
    /// <param name="broker">Which one.</param>
    /// <param name="ahead">Of the machine's.</param>
    public async Task SetClockAsync(int broker, TimeSpan ahead)
    {
        string temporary = _clocks[broker] + ".new";
        await File.WriteAllTextAsync(temporary, string.Create(CultureInfo.InvariantCulture, $"{(long)ahead.TotalSeconds:+0;-0;+0}\n"));
        File.Move(temporary, _clocks[broker], overwrite: true);
    }

    public BrokerOptions OptionsOf(int broker) => new()
    {
        DataDirectory = FolderOf(broker),
        Port = _ports[broker],
        Environment = new Dictionary<string, string>(_clocks.TryGetValue(broker, out string? clock) ? FakeClock.Environment(clock) : [])
        {
            ["DANUBE__META_STORE"] = "etcd",
            ["DANUBE__BROKER__ID"] = broker.ToString(CultureInfo.InvariantCulture),
            ["DANUBE__ETCD__ENDPOINTS"] = _proxies.TryGetValue(broker, out AnswerProxy? proxy)
                ? proxy.Endpoint.ToString()
                : string.Join(',', Etcd.Members.Select(m => m.Endpoint)),
            ["DANUBE__WAL__SEGMENT_BYTES"] = "1MiB",
            ["DANUBE__WAL__JOURNAL_BYTES"] = "4MiB",
            ["DANUBE__WAL__LOW_SPACE_BYTES"] = "0",
        },
        StartTimeout = Guard,
    };

    public async Task StartBrokerAsync(int broker)
    {
        BrokerProcess process = await BrokerProcess.StartAsync(OptionsOf(broker));
        lock (_running)
        {
            _running[broker] = process;
        }
    }

    /// <summary>kill -9.</summary>
    public async Task KillAsync(int broker)
    {
        await _running[broker].DisposeAsync();
        lock (_running)
        {
            _running.Remove(broker);
        }
    }

    /// <summary>SIGTERM, to its end.</summary>
    public async Task StopAsync(int broker)
    {
        Assert.Equal(0, await _running[broker].StopAsync(Guard));
        await KillAsync(broker);
    }

    public Task<DanubeClient> ConnectAsync() => DanubeClient.ConnectAsync(Url, new DanubeClientOptions { RequestTimeout = TimeSpan.FromSeconds(30) });

    /// <summary>Creates a topic, again when the answer was lost or came before somebody served it: then it is there already.</summary>
    public static Task CreateAsync(DanubeClient client, string topic, string durability = "fsync") => UntilAsync($"{topic} is created", async () =>
    {
        try
        {
            await client.CreateTopicAsync(new TopicSpec { Topic = topic, Durability = durability });
            return true;
        }
        catch (DanubeException e) when (e.Code is ErrorCode.TopicExists or ErrorCode.TimedOut || e.Retryable)
        {
            return e.Code == ErrorCode.TopicExists;
        }
    });

    /// <summary>The broker that leads; waits for one.</summary>
    /// <param name="except">Not this one: it is dead, and its key may still be there.</param>
    public async Task<int> LeaderAsync(int except = 0)
    {
        int leader = 0;
        await UntilAsync("a leader", async () =>
        {
            MetadataEntry? entry = await Store.GetAsync("/cluster/leader");
            leader = entry is null ? 0 : Read(entry).GetProperty("broker").GetInt32();
            return leader != 0 && leader != except;
        });
        return leader;
    }

    /// <summary>Owner, epoch and state of every topic that is assigned.</summary>
    public async Task<Dictionary<string, TopicPlace>> PlacesAsync()
    {
        const string Prefix = "/cluster/assignments";
        MetadataListing listing = await Store.ListAsync(Prefix + "/");
        return listing.Entries.ToDictionary(e => e.Key[Prefix.Length..], e => Place(Read(e)));
    }

    public async Task<TopicPlace?> PlaceAsync(string topic) =>
        await Store.GetAsync("/cluster/assignments" + topic) is { } entry ? Place(Read(entry)) : null;

    /// <summary>Waits until every one of these topics is served by a broker that is there.</summary>
    public Task ServedAsync(IEnumerable<string> topics)
    {
        string[] all = [.. topics];
        return UntilAsync("all topics served", async () =>
        {
            Dictionary<string, TopicPlace> places = await PlacesAsync();
            return all.All(t => places.TryGetValue(t, out TopicPlace? place) && place.IsServing && _running.ContainsKey(place.Owner));
        });
    }

    public static async Task UntilAsync(string what, Func<Task<bool>> done)
    {
        long since = Environment.TickCount64;
        while (true)
        {
            try
            {
                if (await done())
                {
                    return;
                }
            }
            catch (Exception e) when (e is IOException or HttpRequestException)
            {
                // etcd is away for a while in some of the tests, and brokers are.
            }

            Assert.True(Environment.TickCount64 - since < Guard.TotalMilliseconds, $"It took more than {Guard.TotalSeconds:0} s: {what}.");
            await Task.Delay(100);
        }
    }

    /// <summary>The last lines of every broker, for a test that failed.</summary>
    public string Logs() => string.Join("\n", _running.Select(b => $"--- broker {b.Key}\n{b.Value.Output}"));

    public async ValueTask DisposeAsync()
    {
        foreach (BrokerProcess broker in _running.Values)
        {
            broker.Continue();
            await broker.DisposeAsync();
        }

        foreach (AnswerProxy proxy in _proxies.Values)
        {
            await proxy.DisposeAsync();
        }

        await Store.DisposeAsync();
        await Etcd.DisposeAsync();
        _folders.ForEach(f => f.Dispose());
        foreach (string clock in _clocks.Values)
        {
            File.Delete(clock);
        }
    }

    private async Task<bool> IsRankedAsync()
    {
        if (await Store.GetAsync("/cluster/leader") is not { } leader || !_running.TryGetValue(Read(leader).GetProperty("broker").GetInt32(), out BrokerProcess? leading))
        {
            return false;
        }

        using var http = new HttpClient { Timeout = Guard };
        using JsonDocument rankings = JsonDocument.Parse(await http.GetStringAsync($"http://{leading.Http}/admin/v1/cluster/rankings"));
        return rankings.RootElement.GetProperty("brokers").EnumerateArray().Count(b => b.GetProperty("standing").GetString() == "ranked") == _running.Count;
    }

    /// <summary>Waits until the first of these topics is another broker's; that is known a moment after it is so.</summary>
    /// <param name="topics">Names.</param>
    /// <param name="from">The broker that has them.</param>
    /// <param name="revision">What was before is not looked at.</param>
    public async Task FirstMovedAsync(IReadOnlySet<string> topics, int from, long revision)
    {
        const string Prefix = "/cluster/assignments";
        using var guard = new CancellationTokenSource(Guard);
        await foreach (MetadataRevision seen in Store.WatchAsync(Prefix + "/", revision + 1, guard.Token))
        {
            if (seen.Changes.Any(c => c.Entry is { } entry && topics.Contains(c.Key[Prefix.Length..]) && Place(Read(entry)).Owner != from))
            {
                return;
            }
        }
    }

    private static TopicPlace Place(JsonElement assignment) => new(
        assignment.GetProperty("owner").GetInt32(), assignment.GetProperty("epoch").GetInt64(), assignment.GetProperty("state").GetString()!);

    private static JsonElement Read(MetadataEntry entry)
    {
        using JsonDocument document = JsonDocument.Parse(entry.Value);
        return document.RootElement.Clone();
    }
}

/// <summary>Where a topic is, as its assignment says.</summary>
internal sealed record TopicPlace(int Owner, long Epoch, string State)
{
    public bool IsServing => string.Equals(State, "serving", StringComparison.OrdinalIgnoreCase);
}
