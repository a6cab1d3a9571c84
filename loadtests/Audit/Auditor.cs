using System.Security.Cryptography;

namespace Danube.Fast.LoadTests.Audit;

/// <summary>
/// Knows everything that was sent and acknowledged, lane by lane, and what each subscription received. A lane is a series of messages whose order counts:
/// one producer on one topic, or one key. Shared with: producers and consumers; lanes and ledgers have locks of their own.
/// </summary>
public sealed class Auditor(TimeProvider time)
{
    private readonly uint _salt = (uint)RandomNumberGenerator.GetInt32(int.MaxValue);
    private readonly long _epoch = time.GetTimestamp();
    private readonly List<AuditLane> _lanes = [];
    private readonly List<SubscriptionAudit> _subscriptions = [];

    public IReadOnlyList<AuditLane> Lanes => _lanes;
    public IReadOnlyList<SubscriptionAudit> Subscriptions => _subscriptions;

    /// <summary>Acknowledged messages that subscriptions still have to receive, over all of them.</summary>
    public long Outstanding => _subscriptions.Sum(s => s.Outstanding);

    /// <summary>Adds a lane. Only before the load.</summary>
    public AuditLane AddLane()
    {
        var lane = new AuditLane(this, checked((ushort)_lanes.Count));
        _lanes.Add(lane);
        return lane;
    }

    /// <summary>Adds a subscription that must receive everything acknowledged on the lanes. Only before the load.</summary>
    /// <param name="name">For the report.</param>
    /// <param name="lanes">Its lanes.</param>
    /// <param name="rules">What it may do.</param>
    public SubscriptionAudit AddSubscription(string name, IReadOnlyList<AuditLane> lanes, AuditRules rules = default)
    {
        var subscription = new SubscriptionAudit(this, name, lanes, rules);
        _subscriptions.Add(subscription);
        return subscription;
    }

    /// <summary>Fills <paramref name="payload"/> with a message of this run.</summary>
    /// <param name="payload">At least <see cref="AuditedMessage.MinSize"/> bytes.</param>
    /// <param name="lane">Lane.</param>
    /// <param name="number">Number in the lane.</param>
    /// <param name="intended">Time stamp of when it was due.</param>
    internal void Write(Span<byte> payload, AuditLane lane, long number, long intended) => AuditedMessage.Write(
        payload, _salt, new AuditedMessage(lane.Index, checked((uint)number), Math.Max(0, (long)time.GetElapsedTime(_epoch, intended).TotalMicroseconds)));

    internal bool TryRead(ReadOnlySpan<byte> payload, out AuditedMessage message) => AuditedMessage.TryRead(payload, _salt, out message);

    internal long TimestampOf(AuditedMessage message) => _epoch + (long)(message.IntendedMicros / 1e6 * time.TimestampFrequency);
}

/// <summary>What is not a fault of a subscription.</summary>
/// <param name="IsUnordered">Messages of a lane may overtake one another: several consumers share them.</param>
/// <param name="AllowsDuplicates">A message may come more than once: consumers were lost with messages that they had not acknowledged.</param>
public readonly record struct AuditRules(bool IsUnordered, bool AllowsDuplicates);
