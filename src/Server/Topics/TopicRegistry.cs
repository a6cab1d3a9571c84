using System.Collections.Concurrent;
using Danube.Fast.Core;
using Danube.Fast.Protocol;
using Danube.Fast.Server.Cluster;
using Danube.Fast.Server.Metrics;
using Microsoft.Extensions.Logging;

namespace Danube.Fast.Server.Topics;

/// <summary>
/// The topics of this broker: joins catalogue (metadata), log store and engine. Lookups take no lock; creating and deleting
/// are serialised, opening and subscribing per topic. Runs on: control requests. Shared with: housekeeping and metrics.
/// </summary>
internal sealed partial class TopicRegistry(
    TopicCatalog? single, ClusterNode? cluster, LogStore durableLogs, LogStore memoryLogs, BrokerOptions options, BrokerState state, RequestCounters requests, TimeProvider time, ILogger log)
    : ITopicResolver
{
    private const int MostIdsNamed = 20;

    private readonly ITopicCatalog _catalog = single ?? (ITopicCatalog)cluster!.Catalog;
    private readonly ConcurrentDictionary<string, TopicEntry> _entries = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, NamespaceSpec> _namespaces = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _changes = new(1, 1);
    private volatile Dictionary<ulong, string> _names = [];
    private readonly Lock _openLock = new();
    private (TopicEntry Entry, Topic Topic)[] _open = [];
    private int _openListed;
    private ulong _highestIdFound;
    private int _openChanges;
    private readonly TopicOptions _topicOptions = new()
    {
        ProducerWindowBytes = options.Topics.ProducerWindowBytes,
        MaxAckWindow = options.Topics.MaxAckWindow,
        MaxDeliverBytes = options.Topics.MaxDeliverBytes,
        MaxFrameBytes = options.Limits.MaxFrameBytes,
        MeasureLatency = options.Metrics.Latency,
    };

    /// <summary>A topic is deleted, or served by this broker no more: it is off the list of open ones, and will be closed next.</summary>
    public event Action<TopicEntry, Topic>? TopicClosing;

    /// <summary>Topics that this broker serves, partitions counted singly: alone all of them, open or not.</summary>
    public int ServedCount => cluster is null ? _entries.Count(e => !e.Value.Definition.IsBase) : OpenTopics.Count;

    /// <summary>There is a topic of that name, a partition or a base too.</summary>
    public bool Knows(string name) => _entries.ContainsKey(name);

    /// <summary>There is a topic of that name, and it has nothing but partitions.</summary>
    public bool IsBase(string name) => _entries.TryGetValue(name, out TopicEntry? entry) && entry.Definition.IsBase;

    /// <summary>All topics, open or not.</summary>
    public IEnumerable<TopicEntry> Entries => _entries.Values;

    /// <summary>The topics that are open now. The list is made anew only when it has changed: the timer goes through it ten times a second.</summary>
    public IReadOnlyList<(TopicEntry Entry, Topic Topic)> OpenTopics
    {
        get
        {
            lock (_openLock)
            {
                int changes = Volatile.Read(ref _openChanges);
                if (changes != _openListed)
                {
                    _open = [.. _entries.Values.Select(e => (e, e.Topic)).Where(e => e.Topic is not null).Select(e => (e.e, e.Topic!))];
                    _openListed = changes;
                }

                return _open;
            }
        }
    }

    /// <summary>Name of the topic or partition with this id, or null. For events and health: an id that is new makes it look through all topics.</summary>
    public string? NameOf(ulong topicId)
    {
        if (_names.TryGetValue(topicId, out string? name))
        {
            return name;
        }

        _names = _entries.Values.Where(e => !e.Definition.IsBase).DistinctBy(e => e.Definition.TopicId).ToDictionary(e => e.Definition.TopicId, e => e.Name.Full);
        return _names.GetValueOrDefault(topicId);
    }

    /// <summary>Reads the catalogue. Opens no log: that happens on first use, or in <see cref="OpenAllAsync"/>.</summary>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        foreach (NamespaceSpec spec in await single!.LoadNamespacesAsync(cancellationToken))
        {
            _namespaces[spec.Namespace] = spec;
        }

        int subscriptions = 0;
        foreach ((TopicDefinition topic, List<SubscriptionDefinition> own) in await single.LoadAsync(cancellationToken))
        {
            if (TopicName.TryParse(topic.Topic, out TopicName? name))
            {
                _entries[name.Full] = new TopicEntry(name, topic, own);
                subscriptions += own.Count;
            }
        }

        Log.CatalogLoaded(log, _entries.Count, subscriptions);
        LookForLogsWithoutTopic();
    }

    // The catalogue may be lost or older than the logs. What it does not name is neither served nor given to a new topic, and a person has to know of it.
    private void LookForLogsWithoutTopic()
    {
        ulong[] found = [.. durableLogs.TopicIdsFound.Where(id => id < long.MaxValue)];
        _highestIdFound = found.DefaultIfEmpty().Max();
        HashSet<ulong> known = [.. _entries.Values.Select(e => e.Definition.TopicId)];
        ulong[] unknown = [.. found.Where(id => !known.Contains(id)).Order()];
        if (unknown.Length > 0)
        {
            string ids = string.Join(", ", unknown.Take(MostIdsNamed)) + (unknown.Length > MostIdsNamed ? ", ..." : "");
            Log.LogsWithoutTopic(log, unknown.Length, ids);
        }
    }

    /// <summary>Opens every topic, one after the other, so that backlogs show and retention works without traffic.</summary>
    public async Task OpenAllAsync(CancellationToken cancellationToken)
    {
        // In a cluster the owner loop opens what this broker serves.
        foreach (TopicEntry entry in cluster is null ? _entries.Values : [])
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!entry.Definition.IsBase && entry.Topic is null)
            {
                await OpenAsync(entry, cancellationToken);
            }
        }
    }

    /// <summary>A topic by name; it need not be open.</summary>
    public Answer<TopicEntry> Find(string name)
    {
        if (!TopicName.TryParse(name, out TopicName? parsed))
        {
            return BadName(name);
        }

        return _entries.TryGetValue(parsed.Full, out TopicEntry? entry) && IsReady(entry) ? entry : Lookup?.UnreadableRecord(parsed.Full) ?? NotFound(parsed.Full);
    }

    // Of a partitioned topic that is being made or deleted no partition can be used either.
    private bool IsReady(TopicEntry entry) => entry.Definition.IsReady
        && (entry.Definition.PartitionOf is not { } whole || !_entries.TryGetValue(whole, out TopicEntry? parent) || parent.Definition.IsReady);

    /// <summary>A topic by name; creates it when it is unknown and that is configured.</summary>
    public async ValueTask<Answer<TopicEntry>> FindOrCreateAsync(string name, string? durability, CancellationToken cancellationToken)
    {
        Answer<TopicEntry> found = Find(name);
        if (found.Refusal?.Code != ErrorCode.TopicNotFound || !options.Topics.AutoCreate)
        {
            return found;
        }

        Answer<TopicEntry> created = await CreateAsync(new TopicSpec { Topic = name, Durability = durability }, cancellationToken);
        return created.Refusal?.Code == ErrorCode.TopicExists ? Find(name) : created;
    }

    /// <summary>The topic with its log open and its recorded subscriptions in place.</summary>
    public async ValueTask<Answer<Topic>> OpenAsync(TopicEntry entry, CancellationToken cancellationToken)
    {
        if (entry.Topic is { } open && Lookup?.IsProven != false)
        {
            return open;
        }

        if (Lookup is { } lookup)
        {
            return lookup.RefusalFor(entry.Definition);
        }

        await entry.Gate.WaitAsync(cancellationToken);
        try
        {
            return entry.IsClosed ? NotFound(entry.Name.Full) : entry.Topic ?? await OpenAloneAsync(entry, cancellationToken);
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            Log.TopicOpenFailed(log, e, entry.Name.Full);
            return new Refusal(ErrorCode.LogFailed, $"The log of topic {entry.Name.Full} cannot be opened: {e.Message} See the broker's log.");
        }
        finally
        {
            entry.Gate.Release();
        }
    }

    private async Task<Topic> OpenAloneAsync(TopicEntry entry, CancellationToken cancellationToken)
    {
        Topic topic = await OpenUnderGateAsync(entry, OpenLog, cancellationToken);
        entry.Topic = topic;
        OpenTopicsChanged();
        return topic;
    }

    private async Task<Topic> OpenUnderGateAsync(TopicEntry entry, Func<LogStore, TopicDefinition, LogRetention, TopicLog> open, CancellationToken cancellationToken)
    {
        TopicDefinition definition = entry.Definition;
        LogStore store = StoreOf(definition);
        TopicPolicy policy = EffectivePolicy(entry.Name, definition);
        LogRetention retention = TopicPolicies.ToRetention(policy);
        TakeRecordedSubscriptions(entry);

        // Opening reads the disk, and after an unclean stop the tail of the log: not on the thread that receives. Retention that must not
        // pass the slowest subscription waits until the subscriptions are there.
        TopicLog topicLog = await Task.Run(() => open(store, definition, policy.RetainUnacknowledged == true ? default : retention), cancellationToken);
        var topic = new Topic(entry.Name.Full, topicLog, store.Cursors, OptionsOf(policy), time);
        try
        {
            foreach (SubscriptionDefinition subscription in entry.Subscriptions.Values)
            {
                await topic.OpenSubscriptionAsync(SpecOf(entry, subscription), cancellationToken);
            }

            topic.LimitRetention();
            topicLog.SetRetention(retention);
        }
        catch
        {
            // A log that stays open could not be opened again by the next attempt.
            topic.Close(ErrorCode.LogFailed, $"Topic {entry.Name.Full} could not be opened.");
            throw;
        }

        return topic;
    }

    // After the change: who lists the topics sees it, or lists them once more.
    private void OpenTopicsChanged() => Interlocked.Increment(ref _openChanges);

    private static TopicLog OpenLog(LogStore store, TopicDefinition definition, LogRetention retention)
    {
        TopicLog opened = store.Open(definition.TopicId, definition.Class, retention);

        // Asking for the end recovers the log here rather than on the thread that asks first.
        _ = opened.Committed;
        return opened;
    }

    private LogStore StoreOf(TopicDefinition definition) => definition.Class == DurabilityClass.Memory ? memoryLogs : durableLogs;

    private static Refusal BadName(string name) => new(
        ErrorCode.BadTopicName, $"'{Shorten(name)}' is no topic name: it takes the form /namespace/name, each part 1 to {TopicName.MaxPartLength} of A-Z a-z 0-9 . _ -.");

    private static Refusal NotFound(string name) => new(
        ErrorCode.TopicNotFound, $"There is no topic {name}: create it first, or set topics.auto_create on the broker.");

    /// <summary>A text of a peer, short enough for a sentence.</summary>
    public static string Shorten(string text) => text.Length <= 80 ? text : text[..80] + "...";
}
