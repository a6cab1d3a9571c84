using System.Buffers.Binary;
using System.Text;
using Danube.Fast.Protocol;

namespace Danube.Fast.Core.Tests;

/// <summary>Publish frames with keys, delays, time to live and chunks.</summary>
internal static class KeyedFrames
{
    /// <summary>A frame with one record per key; null = without a key.</summary>
    public static byte[] Mixed(ulong producerId, ulong sequence, string?[] keys, Codec codec = Codec.None)
    {
        using var writer = new BatchWriter(ProtocolLimits.DefaultMaxFrame);
        for (int i = 0; i < keys.Length; i++)
        {
            Assert.True(writer.TryAppend(keys[i] is not null, Encoding.UTF8.GetBytes(keys[i] ?? ""), default, 0, Payload(producerId, sequence + (ulong)i)));
        }

        return writer.Seal(new PublishFields { ProducerId = producerId, Sequence = sequence, PublishTimeMicros = 1 }, 1, codec).ToArray();
    }

    /// <summary>A frame whose records share a key that its header names.</summary>
    public static byte[] OneKey(ulong producerId, ulong sequence, string key, int count)
    {
        using var writer = new BatchWriter(ProtocolLimits.DefaultMaxFrame);
        byte[] utf8 = Encoding.UTF8.GetBytes(key);
        for (int i = 0; i < count; i++)
        {
            Assert.True(writer.TryAppend(true, utf8, default, 0, Payload(producerId, sequence + (ulong)i)));
        }

        var fields = new PublishFields { ProducerId = producerId, Sequence = sequence, PublishTimeMicros = 1, Flags = FrameFlags.OneKey, KeyHash = KeyHash.Compute(utf8) };
        return writer.Seal(fields, 1, Codec.None).ToArray();
    }

    /// <summary>A frame of one record with a key.</summary>
    public static byte[] Keyed(ulong producerId, ulong sequence, string key, byte[] payload)
    {
        using var writer = new BatchWriter(ProtocolLimits.DefaultMaxFrame);
        Assert.True(writer.TryAppend(true, Encoding.UTF8.GetBytes(key), default, 0, payload));
        return writer.Seal(new PublishFields { ProducerId = producerId, Sequence = sequence, PublishTimeMicros = 1 }, 1, Codec.None).ToArray();
    }

    /// <summary>Records without keys that wait or expire.</summary>
    public static byte[] Timed(ulong producerId, ulong sequence, int count, uint delayMs, uint timeToLiveSeconds)
    {
        using var writer = new BatchWriter(ProtocolLimits.DefaultMaxFrame);
        for (int i = 0; i < count; i++)
        {
            Assert.True(writer.TryAppend(Payload(producerId, sequence + (ulong)i)));
        }

        var fields = new PublishFields { ProducerId = producerId, Sequence = sequence, PublishTimeMicros = 1, DelayMs = delayMs, TimeToLiveSeconds = timeToLiveSeconds };
        return writer.Seal(fields, 1, Codec.None).ToArray();
    }

    /// <summary>Chunk <paramref name="index"/> of a message of <paramref name="of"/>.</summary>
    public static byte[] Chunk(ulong producerId, ulong sequence, int index, int of, string? key = null, uint delayMs = 0)
    {
        using var writer = new BatchWriter(ProtocolLimits.DefaultMaxFrame);
        byte[] payload = Payload(producerId, sequence);
        Assert.True(writer.TryAppendBare(payload));
        var fields = new PublishFields
        {
            ProducerId = producerId,
            Sequence = sequence,
            PublishTimeMicros = 1,
            Attributes = (ushort)index,
            DelayMs = delayMs,
            RawLength = index == 0 ? (uint)(payload.Length * of) : 0,
            KeyHash = key is null ? 0 : KeyHash.Compute(Encoding.UTF8.GetBytes(key)),
            Flags = (index == 0 ? FrameFlags.ChunkBegin : FrameFlags.None) | (index == of - 1 ? FrameFlags.ChunkEnd : FrameFlags.None),
        };
        byte[] frame = writer.Seal(fields, 1, Codec.None).ToArray();
        Assert.Equal(ErrorCode.None, PublishValidator.Validate(frame, ProtocolLimits.DefaultMaxFrame));
        return frame;
    }

    private static byte[] Payload(ulong producerId, ulong sequence)
    {
        byte[] payload = new byte[16];
        BinaryPrimitives.WriteUInt64BigEndian(payload, producerId);
        BinaryPrimitives.WriteUInt64BigEndian(payload.AsSpan(8), sequence);
        return payload;
    }
}
