using System.Buffers.Binary;

namespace Danube.Fast.Protocol;

/// <summary>Types 0x16 ping and 0x17 pong: header only; the pong repeats the token.</summary>
public static class PingFrame
{
    public static ulong Token(ReadOnlySpan<byte> frame) => BinaryPrimitives.ReadUInt64BigEndian(frame[16..]);

    public static void Write(Span<byte> frame, FrameType type, ulong token)
    {
        StreamHeaderWriter.Begin(frame, type, 0, 0);
        StreamHeaderWriter.SetUInt64(frame, 16, token);
        StreamHeaderWriter.SealHeader(frame);
    }
}

/// <summary>Type 0x18: closes a channel, or the connection when the channel is 0. Payload: JSON <see cref="ErrorPayload"/>.</summary>
public readonly ref struct CloseFrame(ReadOnlySpan<byte> frame)
{
    private readonly ReadOnlySpan<byte> _frame = frame;

    public uint Channel => BinaryPrimitives.ReadUInt32BigEndian(_frame[StreamHeader.ChannelAt..]);
    public ErrorCode Code => (ErrorCode)BinaryPrimitives.ReadUInt32BigEndian(_frame[32..]);
    public ReadOnlySpan<byte> Json => _frame.Slice(ProtocolLimits.HeaderSize, (int)new StreamHeader(_frame).PayloadLength);

    /// <summary>Writes a whole close frame with padding; returns its length.</summary>
    public static int Write(Span<byte> frame, uint channel, ErrorCode code, ReadOnlySpan<byte> json)
    {
        int length = ProtocolLimits.Align(ProtocolLimits.HeaderSize + json.Length);
        StreamHeaderWriter.Begin(frame, FrameType.Close, (uint)json.Length, channel);
        StreamHeaderWriter.SetUInt32(frame, 32, (uint)code);
        StreamHeaderWriter.SealHeader(frame);
        json.CopyTo(frame[ProtocolLimits.HeaderSize..]);
        frame[(ProtocolLimits.HeaderSize + json.Length)..length].Clear();
        return length;
    }
}
