namespace Danube.Fast.LoadManager;

/// <summary>Loads of all topics of a broker over one window.</summary>
public sealed record TopicLoads
{
    /// <summary>Heaviest share first, topics that stay here last; ties by name.</summary>
    public IReadOnlyList<TopicLoad> Topics { get; init; } = [];

    /// <summary>The window that the rates are means of; zero for a reader's first reading, which has no rates.</summary>
    public TimeSpan Window { get; init; }

    /// <summary>99th percentile of publishing over all topics; null when nothing was published.</summary>
    public double? PublishP99Ms { get; init; }
}
