namespace Danube.Fast.Core;

/// <summary>A subscription's gauges, all of the same moment. Messages are records.</summary>
public readonly record struct SubscriptionFigures
{
    /// <summary>Connected consumers.</summary>
    public int Consumers { get; init; }

    /// <summary>First offset that is not acknowledged.</summary>
    public long MarkDelete { get; init; }

    /// <summary>Visible messages that are not acknowledged.</summary>
    public long Unacknowledged { get; init; }

    /// <summary>Of those the ones that connected consumers hold.</summary>
    public long Pending { get; init; }

    /// <summary>Offsets between <see cref="MarkDelete"/> and the visible end of the log.</summary>
    public long Lag { get; init; }

    /// <summary>Messages that wait to be sent.</summary>
    public long QueueDepth => Unacknowledged - Pending;

    /// <summary>Messages that have entered the queue since the subscription was opened: new ones, and those that came back.</summary>
    public long Enqueued { get; init; }
}
