namespace Danube.Fast.LoadManager;

/// <summary>A topic's assignment as the metadata store has it.</summary>
/// <param name="Topic">Full name.</param>
/// <param name="Broker">Who has it.</param>
/// <param name="ServingRevision">Revision of the write by which the broker began to serve it; 0 = it does not yet.</param>
/// <param name="PartitionOf">The topic that it is a partition of, or null.</param>
/// <param name="Requirements">What it needs.</param>
/// <param name="Expected">What it was expected to add when it was placed; zero when nobody knows any more.</param>
public sealed record TopicAssignment(
    string Topic, long Broker, long ServingRevision, string? PartitionOf, TopicRequirements Requirements, ExpectedLoad Expected)
{
    /// <summary>The namespace of the name.</summary>
    public string Namespace => Topic.IndexOf('/', 1) is > 0 and var slash ? Topic[1..slash] : "";
}

/// <summary>
/// Which broker has which topics, and which of them its report cannot show yet: a topic is **pending** until a report says that the assignments
/// it had applied when its window began reach the write by which the topic began to be served.
/// Runs on: the leader's placement. Shared with: nobody; <see cref="TopicPlacement"/> guards it.
/// </summary>
internal sealed class AssignmentBook
{
    private readonly Dictionary<string, TopicAssignment> _topics = new(StringComparer.Ordinal);
    private readonly Dictionary<long, Shelf> _shelves = [];
    private readonly Dictionary<string, Dictionary<long, int>> _partitions = new(StringComparer.Ordinal);

    /// <summary>Notes that a topic is with a broker now; replaces what was noted about it.</summary>
    public void Put(TopicAssignment assignment)
    {
        Remove(assignment.Topic);
        _topics[assignment.Topic] = assignment;
        Shelf shelf = ShelfOf(assignment.Broker);
        shelf.Count++;
        Bump(shelf.Namespaces, assignment.Namespace, 1);
        shelf.Pending[assignment.Topic] = assignment;
        if (assignment.Requirements is { EstimatedThroughputMbps: not null } or { EstimatedSizeGb: not null })
        {
            shelf.Declared[assignment.Topic] = assignment;
        }

        if (assignment.PartitionOf is { } whole)
        {
            if (!_partitions.TryGetValue(whole, out Dictionary<long, int>? owners))
            {
                _partitions[whole] = owners = [];
            }

            Bump(owners, assignment.Broker, 1);
        }

        shelf.Version++;
    }

    /// <summary>A broker serves a topic since a revision.</summary>
    public void Served(string topic, long revision)
    {
        if (_topics.TryGetValue(topic, out TopicAssignment? assignment))
        {
            TopicAssignment served = assignment with { ServingRevision = revision };
            _topics[topic] = served;
            Shelf shelf = ShelfOf(assignment.Broker);
            if (shelf.Pending.ContainsKey(topic))
            {
                shelf.Pending[topic] = served;
                shelf.Version++;
            }
        }
    }

    /// <summary>A topic is with nobody.</summary>
    public void Remove(string topic)
    {
        if (!_topics.Remove(topic, out TopicAssignment? assignment))
        {
            return;
        }

        Shelf shelf = ShelfOf(assignment.Broker);
        shelf.Count--;
        Bump(shelf.Namespaces, assignment.Namespace, -1);
        shelf.Pending.Remove(topic);
        shelf.Declared.Remove(topic);
        shelf.Version++;
        if (assignment.PartitionOf is { } whole && _partitions.TryGetValue(whole, out Dictionary<long, int>? owners))
        {
            Bump(owners, assignment.Broker, -1);
            if (owners.Count == 0)
            {
                _partitions.Remove(whole);
            }
        }
    }

    public void Clear()
    {
        _topics.Clear();
        _shelves.Clear();
        _partitions.Clear();
    }

    public int Count(long broker) => _shelves.TryGetValue(broker, out Shelf? shelf) ? shelf.Count : 0;

    public int CountOfNamespace(long broker, string name) => _shelves.TryGetValue(broker, out Shelf? shelf) ? shelf.Namespaces.GetValueOrDefault(name) : 0;

    public int CountOfPartitions(long broker, string whole) => _partitions.TryGetValue(whole, out Dictionary<long, int>? owners) ? owners.GetValueOrDefault(broker) : 0;

    public IReadOnlyDictionary<long, int> Counts() => _shelves.ToDictionary(s => s.Key, s => s.Value.Count);

    /// <summary>What a broker's report does not show yet: the load of pending topics, and what assigned topics declare beyond what they use.</summary>
    public (ExpectedLoad Pending, ExpectedLoad Declared) Unmeasured(BrokerState broker) =>
        _shelves.TryGetValue(broker.Id, out Shelf? shelf) ? shelf.Unmeasured(broker) : default;

    private static void Bump<TKey>(Dictionary<TKey, int> counts, TKey key, int by)
        where TKey : notnull
    {
        int count = counts.GetValueOrDefault(key) + by;
        if (count == 0)
        {
            counts.Remove(key);
        }
        else
        {
            counts[key] = count;
        }
    }

    private Shelf ShelfOf(long broker)
    {
        if (!_shelves.TryGetValue(broker, out Shelf? shelf))
        {
            _shelves[broker] = shelf = new Shelf();
        }

        return shelf;
    }

    // The topics of one broker. The sums are kept until its report or its topics change.
    private sealed class Shelf
    {
        private LoadReport? _report;
        private long _summedVersion = -1;
        private ExpectedLoad _pending;
        private ExpectedLoad _declared;

        public int Count { get; set; }
        public long Version { get; set; }
        public Dictionary<string, int> Namespaces { get; } = new(StringComparer.Ordinal);
        public Dictionary<string, TopicAssignment> Pending { get; } = new(StringComparer.Ordinal);
        public Dictionary<string, TopicAssignment> Declared { get; } = new(StringComparer.Ordinal);

        public (ExpectedLoad Pending, ExpectedLoad Declared) Unmeasured(BrokerState broker)
        {
            if (!ReferenceEquals(_report, broker.Report) || _summedVersion != Version)
            {
                _report = broker.Report;
                _summedVersion = Version;
                SumPending(broker.Report);
                SumDeclared(broker.Report);
            }

            return (_pending, _declared);
        }

        private void SumPending(LoadReport? report)
        {
            _pending = default;
            List<string>? shown = null;
            foreach (TopicAssignment topic in Pending.Values)
            {
                if (topic.ServingRevision > 0 && report is not null && report.AssignmentsRevision >= topic.ServingRevision)
                {
                    (shown ??= []).Add(topic.Topic);
                }
                else
                {
                    _pending += topic.Expected;
                }
            }

            shown?.ForEach(topic => Pending.Remove(topic));
        }

        private void SumDeclared(LoadReport? report)
        {
            double mbps = 0, bytes = 0;
            foreach (TopicAssignment topic in Declared.Values.Where(t => !Pending.ContainsKey(t.Topic)))
            {
                TopicLoad? measured = report?.GetTopicByName(topic.Topic);
                mbps += Math.Max(0, (topic.Requirements.EstimatedThroughputMbps ?? 0) - (measured?.ByteRateMbps ?? 0));
                bytes += Math.Max(0, ((topic.Requirements.EstimatedSizeGb ?? 0) * 1e9) - (measured?.WalSizeBytes ?? 0));
            }

            _declared = new ExpectedLoad(0, 0, 0, mbps, bytes);
        }
    }
}
