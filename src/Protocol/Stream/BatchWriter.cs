using System.Buffers;

namespace Danube.Fast.Protocol;

/// <summary>
/// Builds publish frames, one after the other, in buffers that it keeps: reset, append records, seal. Steady state allocates nothing
/// (Deflate: a little per frame). The sealed frame stays valid until the next <see cref="Reset"/>, so a producer keeps one writer per
/// unacknowledged frame. Runs on: one thread at a time. Shared with: nobody while a record is appended.
/// </summary>
public sealed class BatchWriter : IDisposable
{
    private readonly int _maxFrame;
    private byte[] _buffer;
    private byte[] _packed = [];
    private byte[] _sealed;
    private int _sealedLength;
    private bool _bare;

    /// <param name="maxFrame">Limit of the whole frame in bytes, as agreed in HELLO.</param>
    /// <param name="initialCapacity">First size of the buffer in bytes; it grows up to the limit.</param>
    public BatchWriter(int maxFrame, int initialCapacity = 64 * 1024)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxFrame, ProtocolLimits.HeaderSize + ProtocolLimits.FrameAlignment);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(maxFrame, ProtocolLimits.MaxNegotiableFrame);
        _maxFrame = maxFrame & ~(ProtocolLimits.FrameAlignment - 1);
        _buffer = ArrayPool<byte>.Shared.Rent(Math.Clamp(initialCapacity, ProtocolLimits.HeaderSize + ProtocolLimits.FrameAlignment, _maxFrame));
        _sealed = _buffer;
        Length = ProtocolLimits.HeaderSize;
    }

    /// <summary>Records appended since the last reset.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of the frame so far: header and packed records, without padding.</summary>
    public int Length { get; private set; }

    /// <summary>The sealed frame with its padding; empty before <see cref="Seal"/>.</summary>
    public ReadOnlyMemory<byte> Frame => _sealed.AsMemory(0, _sealedLength);

    /// <summary>Forgets the records and the sealed frame; keeps the buffers.</summary>
    public void Reset()
    {
        Count = 0;
        Length = ProtocolLimits.HeaderSize;
        _sealedLength = 0;
        _bare = false;
    }

    /// <summary>Appends a record without key, attributes and event time. False when the frame is full; with <see cref="Count"/> 0 the record is too large for any frame.</summary>
    public bool TryAppend(ReadOnlySpan<byte> payload)
    {
        if (!TryReserve(ProtocolLimits.MinRecordSize + (long)payload.Length))
        {
            return false;
        }

        Length += RecordWriter.Write(_buffer.AsSpan(Length), payload);
        Count++;
        return true;
    }

    /// <summary>
    /// Makes the frame a bare one: its payload is this message, or this chunk of one, and nothing else. It is not compressed. False when the frame
    /// has records already or the bytes are too many.
    /// </summary>
    public bool TryAppendBare(ReadOnlySpan<byte> payload)
    {
        if (Count > 0 || !TryReserve(payload.Length))
        {
            return false;
        }

        payload.CopyTo(_buffer.AsSpan(Length));
        Length += payload.Length;
        Count = 1;
        _bare = true;
        return true;
    }

    /// <summary>Appends a record. False as above.</summary>
    /// <param name="hasKey">True when there is a key; it can be empty.</param>
    /// <param name="key">At most 65,535 bytes.</param>
    /// <param name="packedAttributes">As <see cref="AttributeWriter.Packed"/> gives them; empty for none.</param>
    /// <param name="eventTimeMicros">Unix microseconds; 0 for none.</param>
    /// <param name="payload">The message.</param>
    /// <exception cref="ArgumentException">The key is too long.</exception>
    public bool TryAppend(bool hasKey, ReadOnlySpan<byte> key, ReadOnlySpan<byte> packedAttributes, long eventTimeMicros, ReadOnlySpan<byte> payload)
    {
        if (key.Length > ProtocolLimits.MaxKeyLength)
        {
            ThrowHelper.KeyTooLong(key.Length);
        }

        long length = RecordWriter.Measure(hasKey, key.Length, 0, eventTimeMicros != 0, 0) + (long)packedAttributes.Length + payload.Length;
        if (!TryReserve(length))
        {
            return false;
        }

        Length += RecordWriter.Write(_buffer.AsSpan(Length), hasKey, key, packedAttributes, eventTimeMicros, payload);
        Count++;
        return true;
    }

    /// <summary>
    /// Completes the frame: header, compression when it makes the frame smaller, padding, content CRC, header CRC. Sets record count, length before
    /// compression and codec itself. Sealing again (other fields or channel) is allowed until the reset.
    /// </summary>
    /// <param name="fields">The producer's fields. The length before compression counts on a bare frame only: of a first chunk, that of the whole message; 0 otherwise.</param>
    /// <param name="channel">The producer's handle on this connection.</param>
    /// <param name="codec"><see cref="Codec.None"/> for no compression.</param>
    /// <param name="traceId">16 bytes of W3C trace id, or empty.</param>
    /// <param name="spanId">8 bytes of W3C span id, or empty.</param>
    /// <exception cref="InvalidOperationException">There is no record.</exception>
    public ReadOnlyMemory<byte> Seal(
        in PublishFields fields, uint channel, Codec codec, ReadOnlySpan<byte> traceId = default, ReadOnlySpan<byte> spanId = default)
    {
        if (Count == 0)
        {
            ThrowHelper.EmptyBatch();
        }

        int rawLength = Length - ProtocolLimits.HeaderSize;
        int payloadLength = codec == Codec.None || _bare ? 0 : Pack(codec, rawLength);
        bool packed = payloadLength > 0;
        _sealed = packed ? _packed : _buffer;
        payloadLength = packed ? payloadLength : rawLength;
        int end = ProtocolLimits.HeaderSize + payloadLength;
        _sealedLength = ProtocolLimits.Align(end);

        Span<byte> frame = _sealed.AsSpan(0, _sealedLength);
        StreamHeaderWriter.Begin(frame, FrameType.Publish, (uint)payloadLength, channel);
        StreamHeaderWriter.SetProducerFields(frame, fields with
        {
            Flags = (fields.Flags & ~FrameFlags.CodecMask) | (packed ? (FrameFlags)codec : FrameFlags.None) | (_bare ? FrameFlags.Bare : FrameFlags.None),
            RecordCount = (uint)Count,
            RawLength = _bare && fields.RawLength > 0 ? fields.RawLength : (uint)rawLength,
        });
        if (!traceId.IsEmpty)
        {
            StreamHeaderWriter.SetTrace(frame, traceId, spanId);
        }

        frame[end..].Clear();
        StreamHeaderWriter.SealContent(frame, frame[ProtocolLimits.HeaderSize..end]);
        StreamHeaderWriter.SealHeader(frame);
        return Frame;
    }

    /// <summary>Puts a sealed frame onto another channel, for a resend after a reconnect: nothing else of it may change.</summary>
    /// <exception cref="InvalidOperationException">The frame is not sealed.</exception>
    public void ChangeChannel(uint channel)
    {
        if (_sealedLength == 0)
        {
            ThrowHelper.EmptyBatch();
        }

        StreamHeaderWriter.SetChannel(_sealed, channel);
        StreamHeaderWriter.SealHeader(_sealed);
    }

    /// <summary>Gives the buffers back to the shared pool. The sealed frame must not be used any more.</summary>
    public void Dispose()
    {
        Reset();
        Return(ref _buffer);
        Return(ref _packed);
        _sealed = [];
    }

    private static void Return(ref byte[] buffer)
    {
        if (buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        buffer = [];
    }

    /// <summary>Compresses into the second buffer. 0 when the frame would not get smaller.</summary>
    private int Pack(Codec codec, int rawLength)
    {
        if (_packed.Length < Length)
        {
            Return(ref _packed);
            _packed = ArrayPool<byte>.Shared.Rent(Length);
        }

        // One unit of padding less than the records: otherwise the frame is no shorter and the consumer would unpack for nothing.
        int room = rawLength - ProtocolLimits.FrameAlignment;
        return room > 0
            && Compression.TryCompress(codec, _buffer.AsSpan(ProtocolLimits.HeaderSize, rawLength), _packed.AsSpan(ProtocolLimits.HeaderSize, room), out int written)
                ? written
                : 0;
    }

    private bool TryReserve(long recordLength)
    {
        long end = Length + recordLength;
        if (end > _maxFrame || Count == ProtocolLimits.MaxRecordsPerFrame || _bare)
        {
            return false;
        }

        _sealedLength = 0;

        // The padding must fit too.
        int needed = ProtocolLimits.Align((int)end);
        if (needed > _buffer.Length)
        {
            Grow(needed);
        }

        return true;
    }

    private void Grow(int needed)
    {
        byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Min(_maxFrame, Math.Max(needed, 2 * _buffer.Length)));
        _buffer.AsSpan(0, Length).CopyTo(larger);
        Return(ref _buffer);
        _buffer = larger;
    }
}
