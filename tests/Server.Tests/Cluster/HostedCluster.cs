using Danube.Fast.LoadManager;
using Danube.Fast.Metadata;
using Danube.Fast.Protocol;
using Danube.Fast.Server.Cluster;
using Danube.Fast.Server.Topics;
using Danube.Fast.Tests;
using Danube.Fast.Wal;

namespace Danube.Fast.Server.Tests.Cluster;

/// <summary>
/// Whole brokers in this process over one metadata store, on a clock that runs four times as fast while this process gets its turns. A broker whose way to the store is cut is as good as dead
/// for the others.
/// </summary>
internal sealed class HostedCluster : IAsyncDisposable
{
    private const int Speed = 4;
    private static readonly TimeSpan HangGuard = TimeSpan.FromSeconds(120);

    private readonly TempFolder _folder = new();
    private readonly HurriedTime _time = new(Speed);
    private readonly Dictionary<int, TestBroker> _brokers = [];
    private readonly Dictionary<int, SharedStore> _ways = [];

    private HostedCluster() => Store = EmbeddedMetadataStore.Open(Path.Combine(_folder.Path, "store"), WalFileSystem.Native, _time);

    /// <summary>What the brokers share, as an observer sees it.</summary>
    public EmbeddedMetadataStore Store { get; }

    public IEnumerable<int> Ids => _brokers.Keys;

    public static async Task<HostedCluster> StartAsync(int brokers)
    {
        var cluster = new HostedCluster();
        for (int id = 1; id <= brokers; id++)
        {
            await cluster.StartBrokerAsync(id);
        }

        // Until its first load report a broker gets no topics once another one has reported.
        await UntilAsync("every broker has reported", async () =>
        {
            if (brokers == 0)
            {
                return true;
            }

            BoardView board = cluster.Node(await cluster.LeaderAsync()).Load.Board.View;
            return Enumerable.Range(1, brokers).All(id => board.Find(id) is { Report: not null });
        });
        return cluster;
    }

    public BrokerHost Host(int id) => _brokers[id].Host;

    public ClusterNode Node(int id) => Host(id).Cluster!;

    public TopicRegistry Topics(int id) => Host(id).Topics;

    /// <summary>A broker's way to the store.</summary>
    public SharedStore WayOf(int id) => _ways.TryGetValue(id, out SharedStore? way) ? way : _ways[id] = new SharedStore(Store);

    /// <param name="id">Of the broker.</param>
    /// <param name="folder">Its data directory; null = the one it always has.</param>
    /// <param name="httpPort">0 = a free one.</param>
    public async Task StartBrokerAsync(int id, string? folder = null, int httpPort = 0) => _brokers[id] = await TestBroker.StartAsync(
        o => o with
        {
            MetaStore = MetaStore.Etcd,
            Cluster = new ClusterOptions { BrokerId = id, OpenStore = () => WayOf(id), Clock = _time },
            Timeouts = o.Timeouts with { DrainMs = 100 },
            HttpPort = httpPort,
        },
        folder ?? FolderOf(id));

    public string FolderOf(int id) => Path.Combine(_folder.Path, $"data-{id}");

    /// <summary>The orderly end of a broker.</summary>
    public async Task StopAsync(int id)
    {
        await _brokers[id].DisposeAsync();
        _brokers.Remove(id);
    }

    public Task<Answer<TopicEntry>> CreateAsync(int broker, string topic, string durability = "memory", int? partitions = null) =>
        Topics(broker).CreateAsync(new TopicSpec { Topic = topic, Durability = durability, Partitions = partitions }, CancellationToken.None);

    /// <summary>The assignment as the store has it.</summary>
    public async Task<Assignment?> PlaceAsync(string topic) =>
        await Store.GetAsync(ClusterKeys.Assignment(topic)) is { } entry ? Assignment.Decode(entry) : null;

    public async Task<List<Assignment>> PlacesAsync() => [.. (await Store.ListAsync(ClusterKeys.Assignments)).Entries.Select(Assignment.Decode)];

    public async Task<int> LeaderAsync(int except = 0)
    {
        int leader = 0;
        await UntilAsync("a leader", async () =>
            await Store.GetAsync(ClusterKeys.Leader) is { } entry && (leader = LeaderRecord.Decode(entry).Broker) != except);
        return leader;
    }

    public Task ServedAsync(string topic, Func<Assignment, bool> holds) => UntilAsync(
        $"{topic} is served", async () => await PlaceAsync(topic) is { State: AssignmentState.Serving } place && holds(place) && Topics(place.Owner).Entries.Any(e => e.Name.Full == topic && e.Topic is not null));

    public static async Task UntilAsync(string what, Func<Task<bool>> holds)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (!await holds())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < HangGuard, $"It took more than {HangGuard.TotalSeconds:0} s: {what}.");
            await Task.Delay(20);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (SharedStore way in _ways.Values)
        {
            way.Mend();
        }

        foreach (TestBroker broker in _brokers.Values)
        {
            await broker.DisposeAsync();
        }

        await Store.DisposeAsync();
        _time.Dispose();
        _folder.Dispose();
    }
}
