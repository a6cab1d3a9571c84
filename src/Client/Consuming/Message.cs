using System.Diagnostics;
using System.Runtime.CompilerServices;
using Danube.Fast.Protocol;

namespace Danube.Fast.Client;

/// <summary>
/// A received message: a view into the receive buffer, valid until the next receive call on its consumer. <see cref="Id"/> stays usable (also
/// for acknowledging); every other member throws <see cref="InvalidOperationException"/> afterwards. <see cref="ToOwned"/> makes a copy that stays.
/// </summary>
public readonly struct Message
{
    private readonly FrameView? _frame;
    private readonly long _offset;
    private readonly int _at, _length, _partition, _version;
    private readonly uint _generation;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal Message(FrameView frame, int at, int length, int partition, uint generation, long offset, uint epoch)
    {
        _frame = frame;
        _version = frame.Version;
        _at = at;
        _length = length;
        _partition = partition;
        _generation = generation;
        _offset = offset;
        Epoch = epoch;
    }

    /// <summary>The id of the message.</summary>
    public MessageId Id => new(_partition, _generation, _offset);

    /// <summary>Position in the partition.</summary>
    public long Offset => _offset;

    /// <summary>The content. Valid until the next receive call.</summary>
    public ReadOnlyMemory<byte> Payload
    {
        get
        {
            FrameView frame = Frame();

            // Most records are length, flags 0, payload.
            return !frame.IsBare && frame.Records[_at + 4] == 0
                ? new ReadOnlyMemory<byte>(frame.Records, _at + 5, _length - 5)
                : new ReadOnlyMemory<byte>(frame.Records, _at + _length - Record(frame).Payload.Length, Record(frame).Payload.Length);
        }
    }

    /// <summary>True when the message has a key, which can be empty.</summary>
    public bool HasKey => (Record(Frame()).Flags & RecordFlags.Key) != 0;

    /// <summary>The key, empty when there is none. Valid until the next receive call.</summary>
    public ReadOnlyMemory<byte> Key
    {
        get
        {
            FrameView frame = Frame();
            Record record = Record(frame);

            // Behind the length, the flags and the key's own length.
            return (record.Flags & RecordFlags.Key) == 0 ? default : new ReadOnlyMemory<byte>(frame.Records, _at + 7, record.Key.Length);
        }
    }

    /// <summary>Names and values that the producer added. Valid until the next receive call.</summary>
    public MessageAttributes Attributes
    {
        get
        {
            FrameView frame = Frame();
            Record record = Record(frame);
            if (record.PackedAttributes.IsEmpty)
            {
                return default;
            }

            int at = _at + 5 + ((record.Flags & RecordFlags.Key) == 0 ? 0 : 2 + record.Key.Length);
            return MessageAttributes.FromPacked(new ReadOnlyMemory<byte>(frame.Records, at, record.PackedAttributes.Length));
        }
    }

    /// <summary>When the producer closed the batch of this message, by its clock.</summary>
    public DateTimeOffset PublishTime => UnixMicros.ToDate(Header().PublishTimeMicros);

    /// <summary>When the broker stored the message, by its clock. Never falls from one message to the next.</summary>
    public DateTimeOffset AppendTime => UnixMicros.ToDate(Header().AppendTimeMicros);

    /// <summary>The time given by the application, null when there is none.</summary>
    public DateTimeOffset? EventTime => Record(Frame()).EventTimeMicros is var micros and not 0 ? UnixMicros.ToDate(micros) : null;

    /// <summary>How often the message was taken before without being acknowledged.</summary>
    public int RedeliveryCount => Frame().RedeliveryCount;

    /// <summary>The subscription epoch it was delivered in: acknowledgements of an older one do not count any more.</summary>
    internal uint Epoch { get; }

    /// <summary>The trace context that the message was sent with: of its sending, or of the activity it was sent in. Only sampled ones travel.</summary>
    /// <param name="context">The context when the answer is true.</param>
    public bool TryGetTraceContext(out ActivityContext context)
    {
        StreamHeader header = Header();
        bool present = header.TraceId.ContainsAnyExcept((byte)0) && header.SpanId.ContainsAnyExcept((byte)0);
        context = present
            ? new ActivityContext(
                ActivityTraceId.CreateFromBytes(header.TraceId), ActivitySpanId.CreateFromBytes(header.SpanId),
                (header.Flags & FrameFlags.Sampled) != 0 ? ActivityTraceFlags.Recorded : ActivityTraceFlags.None, isRemote: true)
            : default;
        return present;
    }

    /// <summary>
    /// The span <c>process</c> of this message, which ends with the next receive call; null when the message is not sampled or nobody listens. It is
    /// not made the current activity: set <see cref="System.Diagnostics.Activity.Current"/> to it, or name it as the parent of your own spans.
    /// </summary>
    public Activity? Activity => Frame().Activity;

    /// <summary>A copy that stays valid.</summary>
    public OwnedMessage ToOwned()
    {
        FrameView frame = Frame();
        return new OwnedMessage(this, frame.Records.AsSpan(_at, _length), frame.IsBare);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private FrameView Frame()
    {
        FrameView? frame = _frame;
        if (frame is null || frame.Version != _version)
        {
            ThrowHelper.MessageExpired();
        }

        return frame!;
    }

    private StreamHeader Header()
    {
        FrameView frame = Frame();
        return new StreamHeader(frame.HeaderBytes.AsSpan(frame.HeaderAt));
    }

    private Record Record(FrameView frame)
    {
        ReadOnlySpan<byte> bytes = frame.Records.AsSpan(_at, _length);
        if (frame.IsBare)
        {
            return Protocol.Record.OfBare(bytes);
        }

        new RecordReader(bytes).TryRead(out Record record);
        return record;
    }
}
