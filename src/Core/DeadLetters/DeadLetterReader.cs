using System.Buffers;
using System.Globalization;
using System.Text;
using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

/// <summary>
/// Makes dead letters of the records of one stored frame. Each becomes a frame of its own with the attributes <c>danube.source_topic</c>,
/// <c>danube.subscription</c>, <c>danube.offset</c>, <c>danube.generation</c>, <c>danube.reason</c> and <c>danube.deliveries</c>; key, payload,
/// event time, other attributes, publish time, schema and trace stay. A chunk of a large message has no room for attributes and is
/// passed on as it is; so is a frame that cannot be unpacked, with all its records.
/// </summary>
internal sealed class DeadLetterReader(Subscription subscription, DyingRange range, ReadOnlyMemory<byte> run)
{
    private const string Prefix = "danube.";

    private byte[]? _unpacked;

    /// <summary>Offset behind what was built last.</summary>
    public long Next { get; private set; }

    /// <summary>Builds the frame of the next record at or above <paramref name="from"/>; false when the frame has no more of the range.</summary>
    /// <param name="from">First offset wanted.</param>
    /// <param name="producerId">Id of the writing producer.</param>
    /// <param name="sequence">Its next sequence.</param>
    /// <param name="frame">Null when the record was acknowledged meanwhile.</param>
    public bool TryBuild(long from, ulong producerId, ulong sequence, out byte[]? frame)
    {
        frame = null;
        var frames = new RunReader(run.Span);
        if (!frames.TryRead(out StoredFrame stored))
        {
            throw new IOException($"The log holds no frame at offset {from}.");
        }

        StreamHeader header = stored.Header;
        Next = Math.Max(from, header.Offset);
        if (Next >= Math.Min(range.End, header.EndOffset))
        {
            return false;
        }

        if (header.IsChunk || !TryUnpack(stored))
        {
            frame = PassOn(stored, producerId, sequence);
            Next = header.EndOffset;
            return true;
        }

        ReadOnlySpan<byte> records = _unpacked ?? stored.Payload;
        Record record = (header.Flags & FrameFlags.Bare) != 0 ? Record.OfBare(records) : Find(records, Next - header.Offset);
        if (subscription.NextUnacknowledged(Next) == Next)
        {
            frame = Build(header, record, producerId, sequence);
        }

        Next++;
        return true;
    }

    /// <summary>Inflates the records once; false when that cannot be done.</summary>
    private bool TryUnpack(StoredFrame stored)
    {
        StreamHeader header = stored.Header;
        if (header.Codec == Codec.None || _unpacked is not null)
        {
            return true;
        }

        if (header.RawLength > ProtocolLimits.MaxNegotiableFrame)
        {
            return false;
        }

        byte[] unpacked = new byte[header.RawLength];
        if (!Compression.TryDecompress(header.Codec, stored.Payload, unpacked))
        {
            return false;
        }

        _unpacked = unpacked;
        return true;
    }

    private static Record Find(ReadOnlySpan<byte> records, long index)
    {
        var reader = new RecordReader(records);
        Record record = default;
        for (long i = 0; i <= index; i++)
        {
            if (!reader.TryRead(out record))
            {
                throw new IOException("A stored frame holds fewer records than its header says.");
            }
        }

        return record;
    }

    private byte[] Build(StreamHeader header, in Record record, ulong producerId, ulong sequence)
    {
        byte[] room = ArrayPool<byte>.Shared.Rent(record.PackedAttributes.Length + 4096);
        try
        {
            using var writer = new BatchWriter(ProtocolLimits.MaxNegotiableFrame, record.Payload.Length + 8192);
            bool hasKey = (record.Flags & RecordFlags.Key) != 0;
            if (!writer.TryAppend(hasKey, record.Key, Attributes(header, record, room), record.EventTimeMicros, record.Payload))
            {
                throw new IOException($"The record at offset {Next} is too large for a dead letter.");
            }

            var fields = FieldsOf(header, producerId, sequence) with
            {
                Flags = (header.Flags & FrameFlags.Sampled) | (hasKey ? FrameFlags.OneKey : FrameFlags.None),
                KeyHash = hasKey ? KeyHash.Compute(record.Key) : header.KeyHash,
            };
            return writer.Seal(fields, 0, Codec.None, header.TraceId, header.SpanId).ToArray();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(room);
        }
    }

    private static PublishFields FieldsOf(StreamHeader header, ulong producerId, ulong sequence) => new()
    {
        ProducerId = producerId,
        Sequence = sequence,
        PublishTimeMicros = header.PublishTimeMicros,
        SchemaId = header.SchemaId,
        KeyHash = header.KeyHash,
    };

    /// <summary>The frame with another producer and sequence, and without delay and time to live.</summary>
    private static byte[] PassOn(StoredFrame stored, ulong producerId, ulong sequence)
    {
        StreamHeader header = stored.Header;
        byte[] frame = stored.Bytes.ToArray();
        StreamHeaderWriter.SetProducerFields(frame, FieldsOf(header, producerId, sequence) with
        {
            Flags = header.Flags,
            Attributes = header.Attributes,
            RecordCount = header.RecordCount,
            RawLength = header.RawLength,
        });
        StreamHeaderWriter.SealContent(frame, stored.Payload);
        StreamHeaderWriter.SealHeader(frame);
        return frame;
    }

    private ReadOnlySpan<byte> Attributes(StreamHeader header, in Record record, byte[] room)
    {
        var writer = new AttributeWriter(room);
        Add(ref writer, "source_topic", subscription.Topic.Name);
        Add(ref writer, "subscription", subscription.Name);
        Add(ref writer, "offset", Next.ToString(CultureInfo.InvariantCulture));
        Add(ref writer, "generation", header.Generation.ToString(CultureInfo.InvariantCulture));
        Add(ref writer, "reason", ReturnReasons.Name(range.Reason));
        Add(ref writer, "deliveries", range.Deliveries.ToString(CultureInfo.InvariantCulture));
        var reader = new AttributeReader(record.PackedAttributes);
        while (reader.TryRead(out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value))
        {
            // What an earlier dead-letter topic wrote is replaced; beyond 255 attributes the last ones go.
            if (!IsOurs(name))
            {
                writer.TryAdd(name, value);
            }
        }

        return writer.Packed;
    }

    private static bool IsOurs(ReadOnlySpan<byte> name) =>
        name.SequenceEqual("danube.source_topic"u8) || name.SequenceEqual("danube.subscription"u8) || name.SequenceEqual("danube.offset"u8)
        || name.SequenceEqual("danube.generation"u8) || name.SequenceEqual("danube.reason"u8) || name.SequenceEqual("danube.deliveries"u8);

    private static void Add(ref AttributeWriter writer, string name, string value) => writer.TryAdd(Prefix + name, Encoding.UTF8.GetBytes(value));
}
