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

    /// <summary>Length of the frame at the start of the bytes.</summary>
    public static int LengthOf(ReadOnlySpan<byte> frame) => new StreamHeader(frame).FrameLength;
}
