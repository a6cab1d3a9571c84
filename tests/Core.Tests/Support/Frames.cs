using System.Buffers.Binary;
using Danube.Fast.Protocol;

namespace Danube.Fast.Core.Tests;

/// <summary>Publish frames as a client makes them.</summary>
internal static class Frames
{
    public const int RecordPayload = 16;

    /// <summary>One sealed frame; each record's payload is (producer id, sequence).</summary>
    public static byte[] Build(ulong producerId, ulong sequence, int count, int payload = RecordPayload)
    {
        using var writer = new BatchWriter(ProtocolLimits.DefaultMaxFrame);
        byte[] body = new byte[payload];
        for (int i = 0; i < count; i++)
        {
            BinaryPrimitives.WriteUInt64BigEndian(body, producerId);
            BinaryPrimitives.WriteUInt64BigEndian(body.AsSpan(8), sequence + (ulong)i);
            Assert.True(writer.TryAppend(body));
        }

        var fields = new PublishFields { ProducerId = producerId, Sequence = sequence, PublishTimeMicros = 1 };
        writer.Seal(fields, 1, Codec.None);
        return writer.Frame.ToArray();
    }

    /// <summary>Consecutive frames of <paramref name="counts"/> records each.</summary>
    public static byte[] Run(ulong producerId, ulong firstSequence, params int[] counts)
    {
        var run = new List<byte>();
        foreach (int count in counts)
        {
            run.AddRange(Build(producerId, firstSequence, count));
            firstSequence += (ulong)count;
        }

        return [.. run];
    }
}
