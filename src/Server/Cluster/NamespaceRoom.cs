using Danube.Fast.Metadata;
using Danube.Fast.Protocol;
using Danube.Fast.Server.Topics;

namespace Danube.Fast.Server.Cluster;

/// <summary>
/// Keeps a namespace to the number of topics that it may have, also when several brokers create at once. Whoever creates in such a namespace writes its gate and compares the
/// revision at which it has counted: of two who have counted the same, one is refused and counts again. Nothing else writes a gate and nothing is counted in it, so that
/// deletions need none, and a crash leaves nothing behind. A namespace without a limit has no gate.
/// Runs on: the writer of <see cref="TopicCreations"/>.
/// </summary>
internal sealed class NamespaceRoom(IMetadataStore store, ClusterView view)
{
    /// <summary>Most gates of one transaction: it has room for no more beside <see cref="ClusterCatalog.BatchTopics"/> topics.</summary>
    public const int MaxGates = 4;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Most topics of a namespace, partitions counted one by one; 0 = without limit. Set before the first creation.</summary>
    public Func<string, int> MaxTopicsOf { get; set; } = _ => 0;

    /// <summary>The refusal for a namespace that is full.</summary>
    public static Refusal Full(string ns, int count, int limit) => new(
        ErrorCode.LimitExceeded, $"Namespace {ns} holds {count} topics, the limit is {limit} (max_topics, partitions counted one by one): delete some first, or raise the limit.");

    /// <summary>Counts a namespace as of now.</summary>
    /// <exception cref="IOException">The store did not answer.</exception>
    public async Task<NamespaceGate> CountAsync(string ns, int limit)
    {
        string key = ClusterKeys.Gates + ns;
        long revision = (await store.GetAsync(key))?.Revision ?? 0;

        // What the gate was written for is seen then; what is deleted meanwhile only makes room.
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            await view.WaitForAsync(revision, patience.Token);
        }
        catch (OperationCanceledException)
        {
            throw new MetadataUnavailableException($"What others have created in namespace {ns} is not seen here yet.");
        }

        return new NamespaceGate(ns, key, revision, limit, view.Topics.Where(t => IsIn(t, ns)).Sum(LogsOf));
    }

    /// <summary>Topics that a creation adds; none for one that is there, whose record decides what the answer is.</summary>
    public int NeededFor(TopicDefinition definition) => view.TryGetTopic(definition.Topic, out _) ? 0 : Math.Max(1, definition.Partitions);

    // A base stands for its partitions, also for those that are still to come.
    private int LogsOf(TopicDefinition topic) => topic.PartitionOf is { } whole ? (view.TryGetTopic(whole, out _) ? 0 : 1) : Math.Max(1, topic.Partitions);

    private static bool IsIn(TopicDefinition topic, string ns) =>
        topic.Topic.Length > ns.Length + 2 && topic.Topic[ns.Length + 1] == '/' && topic.Topic.AsSpan(1).StartsWith(ns, StringComparison.Ordinal);
}

/// <summary>A namespace with a limit, as it was counted.</summary>
internal sealed class NamespaceGate(string ns, string key, long revision, int limit, int count)
{
    private readonly int _counted = count;
    private int _taken = count;

    /// <summary>Takes room for so many topics; null when there was enough, else the refusal.</summary>
    public Refusal? Take(int topics)
    {
        if (topics > 0 && _taken + topics > limit)
        {
            return NamespaceRoom.Full(ns, _taken, limit);
        }

        _taken += topics;
        return null;
    }

    /// <summary>Has a transaction compare and write the gate, when something is to be made.</summary>
    public void AddTo(MetadataTransaction transaction)
    {
        if (_taken > _counted)
        {
            transaction.IfRevision(key, revision).Put(key, Array.Empty<byte>());
        }
    }

    /// <summary>True when somebody else has created in the namespace since it was counted.</summary>
    public bool IsPassed(TransactionResult refused) => _taken > _counted && (refused.Found(key)?.Revision ?? 0) != revision;
}
