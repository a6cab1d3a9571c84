using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

/// <summary>
/// One consumer's channel on a subscription. Made by <see cref="Subscription.AddConsumer"/>; nothing is sent before its first
/// credit. All positions count from the opening of the channel and are never reset, not by a seek either.
/// Runs on: the receive loop of its connection. Shared with: the dispatcher, under the subscription's lock.
/// </summary>
public sealed class Consumer
{
    private readonly Subscription _subscription;

    internal Consumer(Subscription subscription, string name, int priority, uint channel, IFrameSink sink, ulong salt)
    {
        _subscription = subscription;
        Name = name;
        Priority = priority;
        Channel = channel;
        Sink = sink;
        Salt = salt;
        InFlight = new InFlightList(subscription.Cursor) { Keys = subscription.Keys };
    }

    public string Name { get; }

    /// <summary>Higher goes first where the type of the subscription has one active consumer of several.</summary>
    public int Priority { get; }

    /// <summary>The handle on its connection.</summary>
    public uint Channel { get; }

    /// <summary>The subscription epoch now.</summary>
    public uint Epoch => _subscription.Epoch;

    internal IFrameSink Sink { get; }

    // Everything below is under the subscription's lock.
    internal bool IsAttached { get; set; }

    /// <summary>False for a failover consumer that stands by: it is sent nothing.</summary>
    internal bool IsActive { get; set; }

    /// <summary>Its sink has refused frames: nothing more is sent until the connection detaches it.</summary>
    internal bool IsDead { get; set; }

    /// <summary>Records were taken back because it did not take them: nothing more is sent before it takes something.</summary>
    internal bool IsStalled { get; set; }

    /// <summary>Position up to which everything was sent at least one ack timeout ago.</summary>
    internal ulong OverdueSent { get; set; }

    internal ulong RecordsGranted { get; private set; }
    internal ulong BytesGranted { get; private set; }
    internal ulong RecordsTaken { get; private set; }
    internal ulong SelectedInAll { get; private set; }
    internal ulong BytesInAll { get; private set; }

    /// <summary>What was sent and is neither acknowledged nor given back.</summary>
    internal InFlightList InFlight { get; }

    /// <summary>Keys of which records wait for this consumer.</summary>
    internal Queue<ActiveKey> PendingKeys { get; } = new();

    /// <summary>Tells consumers apart when keys are spread over them.</summary>
    internal ulong Salt { get; }

    /// <summary><see cref="Cursor.Changes"/> when <see cref="InFlight"/> was last looked through.</summary>
    internal int CompactedAt { get; set; }

    internal bool IsReady => IsActive && !IsDead && !IsStalled && RecordsGranted > SelectedInAll && BytesGranted > BytesInAll;

    /// <summary>Takes new credit and the number of records taken. Older positions than known ones change nothing.</summary>
    public void OnCredit(in CreditFrame frame) => _subscription.OnCredit(this, frame);

    /// <summary>Acknowledges. Not None: the frame was refused as a whole; the channel should be closed with the code.</summary>
    public ErrorCode OnAck(in AckFrame frame) => _subscription.OnAck(this, frame);

    /// <summary>Takes records back for a later delivery. Errors as for <see cref="OnAck"/>.</summary>
    public ErrorCode OnNack(in AckFrame frame) => _subscription.OnNack(this, frame);

    /// <summary>The channel is gone: what it did not acknowledge is delivered again. Idempotent.</summary>
    public void Detach() => _subscription.Detach(this);

    /// <summary>Sent and taken positions over time.</summary>
    internal TakenMarks Marks { get; } = new();

    /// <summary>True when more has been taken than was known.</summary>
    internal bool Grant(ulong records, ulong bytes, ulong taken)
    {
        ulong before = RecordsTaken;
        RecordsGranted = Math.Max(RecordsGranted, records);
        BytesGranted = Math.Max(BytesGranted, bytes);
        RecordsTaken = Math.Min(SelectedInAll, Math.Max(RecordsTaken, taken));
        IsStalled &= RecordsTaken == before;
        return RecordsTaken > before;
    }

    internal void OnSent(long selected, long bytes)
    {
        SelectedInAll += (ulong)selected;
        BytesInAll += (ulong)bytes;
    }
}
