using System.Runtime.InteropServices;

namespace Danube.Fast.Core;

/// <summary>
/// Totals of one topic since it was opened. The publish group is written under the log's append lock only and so needs no
/// interlocked operation; the delivery group is written once per deliver or ack frame, never per record.
/// Runs on: publishers, dispatchers, connections. Shared with: whoever reads <see cref="Snapshot"/>.
/// </summary>
public sealed class TopicCounters
{
    // Not readonly: these are the counters. Each group has a guard line on both sides.
    private PublishGroup _publish;
    private DeliveryGroup _delivery;

    /// <summary>Publish frames refused, by error code. Those that were refused before they reached the engine are counted by whoever refused them.</summary>
    public RefusalCounters Refusals { get; } = new();

    /// <summary>Bytes stored and delivered: how heavy the topic is.</summary>
    public long BytesMoved => Volatile.Read(ref _publish.Bytes) + Volatile.Read(ref _delivery.Bytes);

    /// <summary>Payloads stored, without the headers of frames.</summary>
    public long PayloadIn => Volatile.Read(ref _publish.Bytes) - (Volatile.Read(ref _publish.Frames) * Protocol.ProtocolLimits.HeaderSize);

    /// <summary>A reading of all counters. Each is exact; together they are of nearly the same moment.</summary>
    public TopicCountersSnapshot Snapshot() => new()
    {
        MessagesIn = Volatile.Read(ref _publish.Messages),
        BytesIn = Volatile.Read(ref _publish.Bytes),
        FramesIn = Volatile.Read(ref _publish.Frames),
        Duplicates = Volatile.Read(ref _publish.Duplicates),
        Refused = Refusals.Total,
        PublishAcks = Volatile.Read(ref _delivery.PublishAcks),
        MessagesOut = Volatile.Read(ref _delivery.Messages),
        BytesOut = Volatile.Read(ref _delivery.Bytes),
        PayloadOut = Volatile.Read(ref _delivery.Payload),
        Delivers = Volatile.Read(ref _delivery.Delivers),
        Redelivered = Volatile.Read(ref _delivery.Redelivered),
        AckFrames = Volatile.Read(ref _delivery.AckFrames),
        Acknowledged = Volatile.Read(ref _delivery.Acknowledged),
        Nacked = Volatile.Read(ref _delivery.Nacked),
        StaleAcks = Volatile.Read(ref _delivery.StaleAcks),
        Dropped = Volatile.Read(ref _delivery.Dropped),
        LostToRetention = Volatile.Read(ref _delivery.LostToRetention),
        DamagedSkipped = Volatile.Read(ref _delivery.DamagedSkipped),
        CursorRecordsDropped = Volatile.Read(ref _delivery.CursorRecordsDropped),
        TimedOut = Volatile.Read(ref _delivery.TimedOut),
        Expired = Volatile.Read(ref _delivery.Expired),
        DeadLettered = Volatile.Read(ref _delivery.DeadLettered),
        Discarded = Volatile.Read(ref _delivery.Discarded),
        DeadLetterRetries = Volatile.Read(ref _delivery.DeadLetterRetries),
    };

    // Under the append lock.
    internal void OnAppended(int frames, long messages, long bytes)
    {
        Volatile.Write(ref _publish.Frames, _publish.Frames + frames);
        Volatile.Write(ref _publish.Messages, _publish.Messages + messages);
        Volatile.Write(ref _publish.Bytes, _publish.Bytes + bytes);
    }

    // Under the append lock.
    internal void OnDuplicate() => Volatile.Write(ref _publish.Duplicates, _publish.Duplicates + 1);

    internal void OnPublishAcks(int frames) => Interlocked.Add(ref _delivery.PublishAcks, frames);

    internal void OnDelivered(long messages, long bytes, long payload, bool again)
    {
        Interlocked.Add(ref _delivery.Messages, messages);
        Interlocked.Add(ref _delivery.Bytes, bytes);
        Interlocked.Add(ref _delivery.Payload, payload);
        Interlocked.Increment(ref _delivery.Delivers);
        if (again)
        {
            Interlocked.Add(ref _delivery.Redelivered, messages);
        }
    }

    internal void OnAcknowledged(long records)
    {
        Interlocked.Increment(ref _delivery.AckFrames);
        Interlocked.Add(ref _delivery.Acknowledged, records);
    }

    internal void OnNacked(long records) => Interlocked.Add(ref _delivery.Nacked, records);

    internal void OnStaleAck() => Interlocked.Increment(ref _delivery.StaleAcks);

    internal void OnDropped(long records) => Interlocked.Add(ref _delivery.Dropped, records);

    internal void OnLostToRetention(long records) => Interlocked.Add(ref _delivery.LostToRetention, records);

    internal void OnDamageSkipped(long records) => Interlocked.Add(ref _delivery.DamagedSkipped, records);

    internal void OnCursorRecordsDropped(long records) => Interlocked.Add(ref _delivery.CursorRecordsDropped, records);

    internal void OnTimedOut(long records) => Interlocked.Add(ref _delivery.TimedOut, records);

    internal void OnExpired(long records) => Interlocked.Add(ref _delivery.Expired, records);

    internal void OnDeadLettered(long records) => Interlocked.Add(ref _delivery.DeadLettered, records);

    internal void OnDeadLetterRetry() => Interlocked.Increment(ref _delivery.DeadLetterRetries);

    internal void OnDiscarded(long records) => Interlocked.Add(ref _delivery.Discarded, records);

    [StructLayout(LayoutKind.Explicit, Size = 384)]
    private struct PublishGroup
    {
        [FieldOffset(128)] public long Messages;
        [FieldOffset(136)] public long Bytes;
        [FieldOffset(144)] public long Frames;
        [FieldOffset(152)] public long Duplicates;
    }

    [StructLayout(LayoutKind.Explicit, Size = 384)]
    private struct DeliveryGroup
    {
        [FieldOffset(0)] public long Messages;
        [FieldOffset(8)] public long Bytes;
        [FieldOffset(16)] public long Delivers;
        [FieldOffset(24)] public long Redelivered;
        [FieldOffset(32)] public long AckFrames;
        [FieldOffset(40)] public long Acknowledged;
        [FieldOffset(48)] public long Nacked;
        [FieldOffset(56)] public long StaleAcks;
        [FieldOffset(64)] public long Dropped;
        [FieldOffset(72)] public long LostToRetention;
        [FieldOffset(80)] public long DamagedSkipped;
        [FieldOffset(88)] public long CursorRecordsDropped;
        [FieldOffset(96)] public long PublishAcks;
        [FieldOffset(104)] public long TimedOut;
        [FieldOffset(112)] public long Expired;
        [FieldOffset(120)] public long DeadLettered;
        [FieldOffset(128)] public long Discarded;
        [FieldOffset(136)] public long DeadLetterRetries;
        [FieldOffset(144)] public long Payload;
    }
}

/// <summary>Totals since the topic was opened. Messages are records; bytes are whole frames with padding.</summary>
public readonly record struct TopicCountersSnapshot
{
    public long MessagesIn { get; init; }
    public long BytesIn { get; init; }
    public long FramesIn { get; init; }

    /// <summary>Frames that repeated a stored one.</summary>
    public long Duplicates { get; init; }

    /// <summary>Frames refused with an error.</summary>
    public long Refused { get; init; }

    /// <summary>Frames acknowledged to producers.</summary>
    public long PublishAcks { get; init; }
    public long MessagesOut { get; init; }
    public long BytesOut { get; init; }

    /// <summary>Payloads of the stored frames in <see cref="BytesIn"/>, with their padding to 8 bytes.</summary>
    public long PayloadIn => BytesIn - (FramesIn * Protocol.ProtocolLimits.HeaderSize);

    /// <summary>Payloads of the stored frames in <see cref="BytesOut"/>, with their padding to 8 bytes.</summary>
    public long PayloadOut { get; init; }
    public long Delivers { get; init; }

    /// <summary>Records sent again, a part of <see cref="MessagesOut"/>.</summary>
    public long Redelivered { get; init; }
    public long AckFrames { get; init; }

    /// <summary>Records newly acknowledged by consumers.</summary>
    public long Acknowledged { get; init; }
    public long Nacked { get; init; }

    /// <summary>Ack and nack frames dropped because they were of an older subscription epoch.</summary>
    public long StaleAcks { get; init; }

    /// <summary>Records of a memory topic that a subscription missed because they were overwritten.</summary>
    public long Dropped { get; init; }

    /// <summary>Unacknowledged records that retention deleted.</summary>
    public long LostToRetention { get; init; }

    /// <summary>Records that dispatchers skipped because the log is damaged there.</summary>
    public long DamagedSkipped { get; init; }

    /// <summary>Acknowledged records that a cursor held beyond the recovered end of the log.</summary>
    public long CursorRecordsDropped { get; init; }

    /// <summary>Records taken back because they were not acknowledged within the ack timeout.</summary>
    public long TimedOut { get; init; }

    /// <summary>Records that subscriptions passed over because their time to live had ended.</summary>
    public long Expired { get; init; }

    /// <summary>Records that came back too often and are durable in a dead-letter topic.</summary>
    public long DeadLettered { get; init; }

    /// <summary>Records that came back too often and were acknowledged unseen, as the rules say.</summary>
    public long Discarded { get; init; }

    /// <summary>Attempts to store dead letters that were made again after a failure.</summary>
    public long DeadLetterRetries { get; init; }

    /// <summary>The sum of this reading and another one.</summary>
    /// <param name="other">What is added.</param>
    /// <param name="times">-1 takes it away.</param>
    public TopicCountersSnapshot Plus(in TopicCountersSnapshot other, int times = 1) => new()
    {
        MessagesIn = MessagesIn + (other.MessagesIn * times),
        BytesIn = BytesIn + (other.BytesIn * times),
        FramesIn = FramesIn + (other.FramesIn * times),
        Duplicates = Duplicates + (other.Duplicates * times),
        Refused = Refused + (other.Refused * times),
        PublishAcks = PublishAcks + (other.PublishAcks * times),
        MessagesOut = MessagesOut + (other.MessagesOut * times),
        BytesOut = BytesOut + (other.BytesOut * times),
        PayloadOut = PayloadOut + (other.PayloadOut * times),
        Delivers = Delivers + (other.Delivers * times),
        Redelivered = Redelivered + (other.Redelivered * times),
        AckFrames = AckFrames + (other.AckFrames * times),
        Acknowledged = Acknowledged + (other.Acknowledged * times),
        Nacked = Nacked + (other.Nacked * times),
        StaleAcks = StaleAcks + (other.StaleAcks * times),
        Dropped = Dropped + (other.Dropped * times),
        LostToRetention = LostToRetention + (other.LostToRetention * times),
        DamagedSkipped = DamagedSkipped + (other.DamagedSkipped * times),
        CursorRecordsDropped = CursorRecordsDropped + (other.CursorRecordsDropped * times),
        TimedOut = TimedOut + (other.TimedOut * times),
        Expired = Expired + (other.Expired * times),
        DeadLettered = DeadLettered + (other.DeadLettered * times),
        Discarded = Discarded + (other.Discarded * times),
        DeadLetterRetries = DeadLetterRetries + (other.DeadLetterRetries * times),
    };
}
