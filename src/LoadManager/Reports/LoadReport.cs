namespace Danube.Fast.LoadManager;

/// <summary>What a broker says about its load. The properties stand for the fields of the same names; see <c>docs/load-manager.md</c>.</summary>
public sealed record LoadReport
{
    /// <summary>Version of the reports that this broker writes.</summary>
    public const int CurrentVersion = 3;

    /// <summary>1 and 2 are the documents' phases, which have no such field.</summary>
    public int Version { get; init; } = CurrentVersion;

    public long BrokerId { get; init; }

    /// <summary>Create revision of the broker's member key; 0 without a cluster.</summary>
    public long Session { get; init; }

    /// <summary>Unix time in seconds by the broker's clock. For people: the leader's own clock decides what is fresh.</summary>
    public long Timestamp { get; init; }

    /// <summary>Milliseconds that the rates are means of; 0 = there are no rates yet.</summary>
    public long WindowMs { get; init; }

    /// <summary>Revision of the assignments that the broker had applied when the window began.</summary>
    public long AssignmentsRevision { get; init; }

    /// <summary>Percent for CPU and memory, bytes per second for disk and network. What could not be read is missing.</summary>
    public IReadOnlyDictionary<ResourceType, double> ResourcesUsage { get; init; } = new Dictionary<ResourceType, double>();

    /// <summary>Resources that this broker's platform does not offer; all others that are missing are failures.</summary>
    public IReadOnlyList<ResourceType> Unsupported { get; init; } = [];

    public ResourceCapacity Capacity { get; init; } = ResourceCapacity.Unknown;

    /// <summary>Accepted from producers, payload, megabits per second.</summary>
    public double TotalThroughputMbps { get; init; }

    /// <summary>Log and object storage of all topics, 10^9 bytes.</summary>
    public double TotalDiskUsageGb { get; init; }

    /// <summary>Messages per second accepted from producers.</summary>
    public long TotalMessageRate { get; init; }

    /// <summary>Handed to consumers, payload, megabits per second.</summary>
    public double TotalOutMbps { get; init; }

    /// <summary>Local log of all topics.</summary>
    public long TotalWalBytes { get; init; }

    /// <summary>Publish received to ack queued, 99th percentile over all topics; null when nothing was published in the window.</summary>
    public double? PublishP99Ms { get; init; }

    /// <summary>Number of topics, exact.</summary>
    public int TopicsLen { get; init; }

    /// <summary>Names of topics in reports of phase 1; empty since.</summary>
    public IReadOnlyList<string> TopicList { get; init; } = [];

    /// <summary>The heaviest topics; those that may not be moved come last.</summary>
    public IReadOnlyList<TopicLoad> Topics { get; init; } = [];

    /// <summary>All other topics together.</summary>
    public RestOfTopics Rest { get; init; }

    /// <summary>The figure of a resource, or null when the report has none. It is never 0 for "not known".</summary>
    public double? GetResourceUsage(ResourceType resource) => ResourcesUsage.TryGetValue(resource, out double usage) ? usage : null;

    /// <summary>A listed topic.</summary>
    public TopicLoad? GetTopicByName(string name) => Topics.FirstOrDefault(t => t.TopicName == name);

    /// <summary>The listed topics with the highest <see cref="TopicLoad.EstimatedLoadScore"/>; equal ones by name.</summary>
    public IReadOnlyList<TopicLoad> GetHeaviestTopics(int count) =>
        [.. Topics.OrderByDescending(t => t.EstimatedLoadScore).ThenBy(t => t.TopicName, StringComparer.Ordinal).Take(count)];

    /// <summary>The listed topics with the lowest <see cref="TopicLoad.EstimatedLoadScore"/>; equal ones by name.</summary>
    public IReadOnlyList<TopicLoad> GetLightestTopics(int count) =>
        [.. Topics.OrderBy(t => t.EstimatedLoadScore).ThenBy(t => t.TopicName, StringComparer.Ordinal).Take(count)];

    /// <summary>Sum of the listed topics' scores.</summary>
    public double TotalLoadScore() => Topics.Sum(t => t.EstimatedLoadScore);
}
