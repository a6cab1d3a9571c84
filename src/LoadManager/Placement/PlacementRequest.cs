using Danube.Fast.Core;

namespace Danube.Fast.LoadManager;

/// <summary>A topic that needs a broker.</summary>
public sealed record PlacementRequest
{
    public required TopicName Topic { get; init; }

    public TopicRequirements Requirements { get; init; } = TopicRequirements.None;

    /// <summary>The broker that served it before, whose report tells what it will need; null for a new topic.</summary>
    public long? PreviousBroker { get; init; }

    /// <summary>The topic of which this one is a partition; null when it is none.</summary>
    public string? PartitionOf { get; init; }
}
