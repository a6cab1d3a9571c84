using Danube.Fast.Metadata;
using Danube.Fast.Server.Cluster;
using Danube.Fast.Server.Topics;

namespace Danube.Fast.Server.Tests.Cluster;

/// <summary>
/// Brokers in this process over one store. Topics are made and given to brokers by the test, which does with that what a leader does.
/// </summary>
internal sealed class ClusterRig : IAsyncDisposable
{
    private static readonly TimeSpan HangGuard = TimeSpan.FromSeconds(90);

    private readonly TempFolder _folder = new();
    private readonly EmbeddedMetadataStore _store;
    private readonly Dictionary<int, RigBroker> _brokers = [];

    public ClusterRig()
    {
        _store = EmbeddedMetadataStore.Open(Path.Combine(_folder.Path, "metadata"));
    }

    public IMetadataStore Store => _store;

    public string FolderOf(int broker) => Path.Combine(_folder.Path, $"broker{broker}");

    public RigBroker this[int broker] => _brokers[broker];

    public async Task<RigBroker> StartAsync(int broker, Func<BrokerOptions, BrokerOptions>? change = null)
    {
        // Somebody leads, who does nothing: what happens to a topic is the test's to say.
        await _store.PutAsync(ClusterKeys.Leader, new LeaderRecord { Broker = 99, Session = 1 }.Encode(), 0);
        var link = new CountingStore(_store);
        var options = new BrokerOptions
        {
            BrokerName = $"broker{broker}",
            Port = 0,
            HttpPort = 0,
            DataDirectory = FolderOf(broker),
            MetaStore = MetaStore.Etcd,
            Cluster = new ClusterOptions { BrokerId = broker, OpenStore = () => link },
            Wal = new WalSettings { LowSpaceBytes = 0 },
            Timeouts = new TimeoutOptions { DrainMs = 500 },
        };
        BrokerHost host = await BrokerHost.StartAsync(change?.Invoke(options) ?? options);
        return _brokers[broker] = new RigBroker(host, link);
    }

    public async Task StopAsync(int broker)
    {
        _brokers.Remove(broker, out RigBroker? stopped);
        stopped!.Link.IsDeaf = false;
        await stopped.Host.DisposeAsync();
    }

    /// <summary>Makes a topic that broker 1, started when it was not, serves from this offset on: a producer on it.</summary>
    public async Task<RigProducer> ServeAsync(string topic, string durability, long startOffset = 0)
    {
        RigBroker owner = _brokers.GetValueOrDefault(1) ?? await StartAsync(1);
        await CreateAsync(topic, 1, durability, startOffset);
        await UntilServedAsync(topic, 1);
        return await RigProducer.OpenAsync(owner, topic);
    }

    /// <summary>Names of the topic folders that a broker has.</summary>
    public string[] StoredTopics(int broker) =>
        [.. Directory.GetDirectories(Path.Combine(FolderOf(broker), "topics")).Select(d => Path.GetFileName(d)).Where(d => !d.StartsWith("deleted", StringComparison.Ordinal))];

    /// <summary>Makes a topic that belongs to a broker from the first moment.</summary>
    public async Task CreateAsync(string topic, int owner, string durability, long startOffset = 0)
    {
        var definition = new TopicDefinition { Topic = topic, Durability = durability };
        MetadataUpdate made = await _store.PutAsync(ClusterKeys.Topic(topic), TopicRecords.Encode(definition), 0);
        Assert.True(made.Succeeded);
        await AssignAsync(topic, owner, made.Revision, startOffset);
    }

    /// <summary>Gives a topic to a broker, whatever was there.</summary>
    public async Task AssignAsync(string topic, int owner, long topicId, long startOffset = 0)
    {
        MetadataEntry? there = await _store.GetAsync(ClusterKeys.Assignment(topic));
        await _store.PutAsync(ClusterKeys.Assignment(topic), new Assignment
        {
            TopicId = topicId,
            Owner = owner,
            Session = (await _store.GetAsync(ClusterKeys.Member(owner)))?.CreatedRevision ?? 0,
            Epoch = (there is null ? 0 : Assignment.Decode(there).Epoch) + 1,
            State = AssignmentState.Assigned,
            StartOffset = startOffset,
        }.Encode());
    }

    public async Task RequestReleaseAsync(string topic)
    {
        MetadataEntry entry = (await _store.GetAsync(ClusterKeys.Assignment(topic)))!;
        Assert.True((await _store.PutAsync(entry.Key, AssignmentRules.RequestRelease(Assignment.Decode(entry))!.Encode(), entry.Revision)).Succeeded);
    }

    public async Task RemoveAsync(string topic)
    {
        TransactionResult result = await _store.CommitAsync(new MetadataTransaction().Delete(ClusterKeys.Topic(topic)).Delete(ClusterKeys.Assignment(topic)));
        Assert.True(result.IsDone);
    }

    public async Task<Assignment> ReadAsync(string topic) => Assignment.Decode((await _store.GetAsync(ClusterKeys.Assignment(topic)))!);

    public async Task<Assignment> UntilAsync(string topic, Func<Assignment, bool> condition)
    {
        Assignment? found = null;
        await UntilAsync(async () => condition(found = await ReadAsync(topic)), () => $"{topic} is {found}");
        return found!;
    }

    /// <summary>Waits until a broker lets clients in.</summary>
    public Task UntilServedAsync(string topic, int broker) => UntilAsync(
        () => Task.FromResult(_brokers[broker].Host.Topics.Find(topic).Value?.Topic is not null), () => $"{topic} is not served by broker {broker}");

    /// <summary>Waits until a broker's view shows what the store has now.</summary>
    public async Task UntilSeenAsync(int broker) =>
        await _brokers[broker].Host.Cluster!.View.WaitForAsync((await _store.ListAsync("/cluster/", CancellationToken.None)).Revision, CancellationToken.None);

    public static async Task UntilAsync(Func<Task<bool>> condition, Func<string> what)
    {
        long begun = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(begun) < HangGuard, "hangs: " + what());
            await Task.Delay(20);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (int broker in _brokers.Keys.ToArray())
        {
            await StopAsync(broker);
        }

        await _store.DisposeAsync();
        _folder.Dispose();
    }
}

/// <summary>One of them.</summary>
internal sealed record RigBroker(BrokerHost Host, CountingStore Link)
{
    public string Address => Host.NativeEndPoint.ToString();

    public async Task<RawClient> HelloAsync()
    {
        RawClient client = await RawClient.ConnectAsync(Host.NativeEndPoint);
        await client.HelloAsync();
        return client;
    }

    public HttpClient Http() => new() { BaseAddress = new Uri($"http://{Host.HttpEndPoint}"), Timeout = TimeSpan.FromSeconds(100) };
}
