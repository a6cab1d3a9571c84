using System.Buffers.Binary;

namespace Danube.Fast.Protocol;

/// <summary>Type 0x13, consumer to broker. All figures are absolute positions on the channel, so a lost or repeated frame does no harm.</summary>
public readonly ref struct CreditFrame(ReadOnlySpan<byte> frame)
{
    private readonly ReadOnlySpan<byte> _frame = frame;

    public uint Channel => BinaryPrimitives.ReadUInt32BigEndian(_frame[StreamHeader.ChannelAt..]);
    public ulong RecordsGranted => BinaryPrimitives.ReadUInt64BigEndian(_frame[16..]);
    public ulong BytesGranted => BinaryPrimitives.ReadUInt64BigEndian(_frame[24..]);
    public uint SubscriptionEpoch => BinaryPrimitives.ReadUInt32BigEndian(_frame[36..]);

    /// <summary>Selected records that the application has taken so far, in delivery order. The ack timeout runs from here.</summary>
    public ulong RecordsTaken => BinaryPrimitives.ReadUInt64BigEndian(_frame[40..]);

    public static void Write(Span<byte> frame, uint channel, ulong recordsGranted, ulong bytesGranted, uint subscriptionEpoch, ulong recordsTaken)
    {
        StreamHeaderWriter.Begin(frame, FrameType.Credit, 0, channel);
        StreamHeaderWriter.SetUInt64(frame, 16, recordsGranted);
        StreamHeaderWriter.SetUInt64(frame, 24, bytesGranted);
        StreamHeaderWriter.SetUInt32(frame, 36, subscriptionEpoch);
        StreamHeaderWriter.SetUInt64(frame, 40, recordsTaken);
        StreamHeaderWriter.SealHeader(frame);
    }
}
