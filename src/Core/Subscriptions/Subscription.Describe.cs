using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

// State of a subscription for the control plane.
public sealed partial class Subscription
{
    /// <summary>The figures that lists show.</summary>
    public SubscriptionInfo Describe()
    {
        lock (Gate)
        {
            return DescribeLocked();
        }
    }

    /// <summary>The same with rules and consumers.</summary>
    public SubscriptionDetails DescribeInFull()
    {
        lock (Gate)
        {
            return new SubscriptionDetails
            {
                Topic = Topic.Name,
                Subscription = DescribeLocked(),
                AcknowledgedBeyond = Cursor.AcknowledgedBeyond,
                Policy = Rules.ToPolicy(Topic.Name),
                Consumers = [.. _consumers.Select(DescribeLocked)],
            };
        }
    }

    private SubscriptionInfo DescribeLocked() => new()
    {
        Name = Name,
        Type = SubscriptionTypes.Name(Type),
        Consumers = _consumers.Count,
        MarkDelete = Cursor.MarkDelete,
        Backlog = Cursor.Backlog(Topic.Log.Visible),
        Epoch = Cursor.Epoch,
        Delayed = _dispatcher.CountDelayed(),
        Blocked = _dispatcher.Blocked,
    };

    private ConsumerInfo DescribeLocked(Consumer consumer) => new()
    {
        Name = consumer.Name,
        Priority = consumer.Priority,
        Active = consumer.IsActive,
        InFlight = consumer.InFlight.Unacknowledged,
        Credit = (long)Math.Min(long.MaxValue, consumer.RecordsGranted - Math.Min(consumer.RecordsGranted, consumer.SelectedInAll)),
    };
}
