namespace Danube.Fast.Server.Metrics;

/// <summary>
/// The topics of one reading: the heaviest one by one, the rest in sums. A topic that is asked for by name is the only one, or its partitions are.
/// Runs on: whoever takes the reading.
/// </summary>
internal sealed class TopicRows
{
    private readonly HashSet<string>? _shown;

    /// <param name="shown">With series of their own.</param>
    /// <param name="isLimited">There are others.</param>
    public TopicRows(List<TopicRow> shown, bool isLimited)
    {
        Shown = shown;
        _shown = isLimited ? [.. shown.Select(r => r.Series.Name)] : null;
    }

    /// <summary>With series of their own.</summary>
    public List<TopicRow> Shown { get; }

    /// <summary>The sum of the others; none when there were never others.</summary>
    public List<TopicRow> Rest { get; init; } = [];

    /// <summary>The same for families with the label <c>reliable</c>: up to two sums.</summary>
    public List<TopicRow> RestByReliability { get; init; } = [];

    public int RestTopics { get; init; }

    public int RestSubscriptions { get; init; }

    /// <summary>Attempts to store dead letters again, of all topics there are or were.</summary>
    public long DeadLetterRetries { get; init; }

    /// <summary>True when a topic has series of its own in this reading.</summary>
    public bool Shows(string topic) => _shown is null || _shown.Contains(topic);
}
