using Danube.Fast.Protocol;

namespace Danube.Fast.Wal.Tests;

/// <summary>Builds publish frames whose content follows from producer and sequence, so that any reader can check them.</summary>
internal static class TestFrames
{
    public static byte[] Build(ulong producerId, ulong sequence, int records, int recordBytes)
    {
        int payload = records * (5 + recordBytes);
        var frame = new byte[ProtocolLimits.Align(ProtocolLimits.HeaderSize + payload)];
        StreamHeaderWriter.Begin(frame, FrameType.Publish, (uint)payload, 7);
        StreamHeaderWriter.SetProducerFields(frame, new PublishFields
        {
            RecordCount = (uint)records,
            ProducerId = producerId,
            Sequence = sequence,
            PublishTimeMicros = 1,
            RawLength = (uint)payload,
        });
        Span<byte> to = frame.AsSpan(ProtocolLimits.HeaderSize);
        var content = new byte[recordBytes];
        for (int i = 0; i < records; i++)
        {
            new Random((int)((producerId * 1_000_003) + sequence + (ulong)i)).NextBytes(content);
            to = to[RecordWriter.Write(to, content)..];
        }

        StreamHeaderWriter.SealContent(frame, frame.AsSpan(ProtocolLimits.HeaderSize, payload));
        StreamHeaderWriter.SealHeader(frame);
        return frame;
    }

    /// <summary>A frame of one record that holds another frame, at a place where frames may begin.</summary>
    public static byte[] Around(ulong producerId, ulong sequence, byte[] inner)
    {
        const int Shift = 3; // A record's content begins 5 bytes behind a multiple of 8.
        byte[] frame = Build(producerId, sequence, 1, Shift + inner.Length);
        var header = new StreamHeader(frame);
        Span<byte> payload = frame.AsSpan(ProtocolLimits.HeaderSize, (int)header.PayloadLength);
        inner.CopyTo(payload[(payload.Length - inner.Length)..]);
        if ((payload.Length - inner.Length) % ProtocolLimits.FrameAlignment != 0)
        {
            throw new InvalidOperationException("The inner frame is not aligned.");
        }

        StreamHeaderWriter.SealContent(frame, payload);
        StreamHeaderWriter.SealHeader(frame);
        return frame;
    }

    /// <summary>Length of the frame at the start of the bytes.</summary>
    public static int LengthOf(ReadOnlySpan<byte> frame) => new StreamHeader(frame).FrameLength;
}
