using System.Buffers;
using System.Buffers.Binary;
using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

/// <summary>
/// Makes the frames of a dead letter. A record becomes a frame of its own or, where that would be larger than frames may be, chunks. Chunks
/// that are not bare make one packed record when they are put together, so that a message of any size has attributes.
/// </summary>
/// <param name="producerId">Id of the writing producer.</param>
/// <param name="maxFrame">Largest frame in bytes.</param>
internal sealed class DeadLetterFrames(ulong producerId, int maxFrame)
{
    private const int MaxChunkBytes = 1024 * 1024;

    private readonly int _chunkBytes = Math.Min(MaxChunkBytes, maxFrame - ProtocolLimits.HeaderSize - ProtocolLimits.FrameAlignment);

    /// <summary>The frames of a record.</summary>
    /// <param name="source">Header of its stored frame.</param>
    /// <param name="record">Key, event time and payload.</param>
    /// <param name="attributes">Packed attributes to have instead of its own.</param>
    /// <param name="sequence">Of the first frame.</param>
    public List<byte[]> OfRecord(StreamHeader source, in Record record, ReadOnlySpan<byte> attributes, ulong sequence)
    {
        bool hasKey = (record.Flags & RecordFlags.Key) != 0;
        PublishFields fields = FieldsOf(source, sequence) with
        {
            Flags = source.Flags & FrameFlags.Sampled,
            KeyHash = hasKey ? KeyHash.Compute(record.Key) : source.KeyHash,
        };
        int length = RecordWriter.Measure(hasKey, record.Key.Length, attributes.Length, record.EventTimeMicros != 0, record.Payload.Length);
        byte[] packed = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            RecordWriter.Write(packed, hasKey, record.Key, attributes, record.EventTimeMicros, record.Payload);
            if (ProtocolLimits.Align(ProtocolLimits.HeaderSize + length) > maxFrame)
            {
                return Cut(source, fields, packed.AsSpan(0, length));
            }

            return [Frame(source, fields with { Flags = fields.Flags | (hasKey ? FrameFlags.OneKey : FrameFlags.None), RawLength = (uint)length }, packed.AsSpan(0, length))];
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(packed);
        }
    }

    /// <summary>The first frame of a message in chunks: a packed record without its payload, which the next ones bring.</summary>
    /// <param name="source">Header of the stored first chunk.</param>
    /// <param name="record">Key and event time.</param>
    /// <param name="attributes">Packed attributes to have instead of its own.</param>
    /// <param name="payloadLength">Bytes that follow in all.</param>
    /// <param name="sequence">Of the frame.</param>
    public byte[] BeginMessage(StreamHeader source, in Record record, ReadOnlySpan<byte> attributes, long payloadLength, ulong sequence)
    {
        bool hasKey = (record.Flags & RecordFlags.Key) != 0;
        byte[] head = new byte[RecordWriter.Measure(hasKey, record.Key.Length, attributes.Length, record.EventTimeMicros != 0, 0)];
        RecordWriter.Write(head, hasKey, record.Key, attributes, record.EventTimeMicros, default);
        uint whole = checked((uint)(head.Length + payloadLength));
        BinaryPrimitives.WriteUInt32BigEndian(head, whole - sizeof(uint));
        return Frame(source, FieldsOf(source, sequence) with { Flags = (source.Flags & FrameFlags.Sampled) | FrameFlags.ChunkBegin, RawLength = whole, KeyHash = source.KeyHash }, head);
    }

    /// <summary>Bytes of a stored chunk as the next one behind <see cref="BeginMessage"/>.</summary>
    public byte[] NextChunk(StreamHeader source, ReadOnlySpan<byte> payload, int index, ulong sequence) => Frame(source, FieldsOf(source, sequence) with
    {
        Flags = source.Flags & (FrameFlags.Sampled | FrameFlags.ChunkEnd),
        Attributes = (ushort)Math.Min(index, ushort.MaxValue),
        RawLength = (uint)payload.Length,
        KeyHash = source.KeyHash,
    }, payload);

    /// <summary>A frame as it is, with another producer and sequence, and without delay and time to live.</summary>
    public byte[] PassOn(StoredFrame stored, ulong sequence)
    {
        StreamHeader source = stored.Header;
        return Frame(source, FieldsOf(source, sequence) with
        {
            Flags = source.Flags,
            Attributes = source.Attributes,
            RecordCount = source.RecordCount,
            RawLength = source.RawLength,
            KeyHash = source.KeyHash,
        }, stored.Payload);
    }

    private List<byte[]> Cut(StreamHeader source, in PublishFields fields, ReadOnlySpan<byte> packed)
    {
        var frames = new List<byte[]>();
        for (int at = 0; at < packed.Length; at += _chunkBytes)
        {
            ReadOnlySpan<byte> part = packed[at..Math.Min(at + _chunkBytes, packed.Length)];
            frames.Add(Frame(source, fields with
            {
                Sequence = fields.Sequence + (ulong)frames.Count,
                Flags = fields.Flags | (at == 0 ? FrameFlags.ChunkBegin : FrameFlags.None) | (at + part.Length == packed.Length ? FrameFlags.ChunkEnd : FrameFlags.None),
                Attributes = (ushort)frames.Count,
                RawLength = (uint)(at == 0 ? packed.Length : part.Length),
            }, part));
        }

        return frames;
    }

    private PublishFields FieldsOf(StreamHeader source, ulong sequence) => new()
    {
        ProducerId = producerId,
        Sequence = sequence,
        RecordCount = 1,
        PublishTimeMicros = source.PublishTimeMicros,
        SchemaId = source.SchemaId,
    };

    private static byte[] Frame(StreamHeader source, in PublishFields fields, ReadOnlySpan<byte> payload)
    {
        byte[] frame = new byte[ProtocolLimits.Align(ProtocolLimits.HeaderSize + payload.Length)];
        StreamHeaderWriter.Begin(frame, FrameType.Publish, (uint)payload.Length, 0);
        StreamHeaderWriter.SetProducerFields(frame, fields);
        StreamHeaderWriter.SetTrace(frame, source.TraceId, source.SpanId);
        payload.CopyTo(frame.AsSpan(ProtocolLimits.HeaderSize));
        StreamHeaderWriter.SealContent(frame, payload);
        StreamHeaderWriter.SealHeader(frame);
        return frame;
    }
}
