using Danube.Fast.Protocol;

namespace Danube.Fast.Harness;

/// <summary>Builds publish frames byte by byte for <see cref="RawConnection"/>.</summary>
public static class PublishFrames
{
    /// <summary>Always the same, so that the same arguments give the same bytes.</summary>
    private const long PublishTimeMicros = 1_700_000_000_000_000;

    /// <summary>One sealed publish frame of <paramref name="payloads"/>, padded.</summary>
    public static byte[] Build(uint channel, ulong producerId, ulong sequence, params byte[][] payloads)
    {
        int length = payloads.Sum(p => RecordWriter.Measure(false, 0, 0, false, p.Length));
        byte[] frame = new byte[ProtocolLimits.Align(ProtocolLimits.HeaderSize + length)];
        StreamHeaderWriter.Begin(frame, FrameType.Publish, (uint)length, channel);
        StreamHeaderWriter.SetProducerFields(frame, new PublishFields
        {
            RecordCount = (uint)payloads.Length,
            ProducerId = producerId,
            Sequence = sequence,
            PublishTimeMicros = PublishTimeMicros,
            RawLength = (uint)length,
        });
        int at = ProtocolLimits.HeaderSize;
        foreach (byte[] payload in payloads)
        {
            at += RecordWriter.Write(frame.AsSpan(at), payload);
        }

        StreamHeaderWriter.SealContent(frame, frame.AsSpan(ProtocolLimits.HeaderSize, length));
        StreamHeaderWriter.SealHeader(frame);
        return frame;
    }
}
