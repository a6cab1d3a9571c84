using System.Buffers;
using System.Buffers.Binary;

namespace Danube.Fast.Protocol;

/// <summary>Answer of <see cref="FrameScanner"/>.</summary>
public enum ScanStatus
{
    /// <summary>A whole frame is there; its prologue, lengths, header CRC (version 2) and padding are good.</summary>
    Done,

    /// <summary>More bytes are needed; <see cref="ScannedFrame.Length"/> is the whole frame's length when already known, else 0.</summary>
    NeedMoreData,

    /// <summary>The bytes are not a frame: <see cref="ScannedFrame.Error"/>. The connection must be closed.</summary>
    Invalid,
}

/// <summary>What the scanner found at the start of the bytes.</summary>
public struct ScannedFrame
{
    public byte Version;
    public FrameType Type;
    public PayloadEncoding Encoding;
    public int PayloadLength;

    /// <summary>Header, payload and (version 2) padding.</summary>
    public int Length;
    public ErrorCode Error;
}

/// <summary>
/// Finds the next frame of either version. Checks everything that can be checked before the payload is trusted: magic, version,
/// type, encoding, reserved bytes, length limit (before anything is allocated), header CRC and zero padding of version 2.
/// The content CRC of publish frames is left to the caller. Runs on: the receiving thread of a connection.
/// </summary>
public static class FrameScanner
{
    /// <param name="buffer">Received bytes, a frame starts at index 0.</param>
    /// <param name="maxFrame">Limit of the whole frame in bytes: <see cref="ProtocolLimits.MaxFrameBeforeHello"/> until HELLO is answered.</param>
    /// <param name="allowStream">False until HELLO has agreed on version 2.</param>
    /// <param name="frame">The frame found.</param>
    public static ScanStatus Scan(ReadOnlySpan<byte> buffer, int maxFrame, bool allowStream, out ScannedFrame frame)
    {
        frame = default;
        if (buffer.Length < ProtocolLimits.HeaderSize)
        {
            // A peer that speaks another protocol is told so at its first bytes, not after 128 of them.
            return "V2"u8.StartsWith(buffer[..Math.Min(2, buffer.Length)]) ? ScanStatus.NeedMoreData : Fail(ref frame, ErrorCode.BadMagic);
        }

        ErrorCode error = ReadPrologue(buffer, maxFrame, allowStream, ref frame);
        if (error != ErrorCode.None)
        {
            return Fail(ref frame, error);
        }

        if (buffer.Length < frame.Length)
        {
            return ScanStatus.NeedMoreData;
        }

        if (frame.Version == 2)
        {
            for (int i = ProtocolLimits.HeaderSize + frame.PayloadLength; i < frame.Length; i++)
            {
                if (buffer[i] != 0)
                {
                    return Fail(ref frame, ErrorCode.BadPadding);
                }
            }
        }

        return ScanStatus.Done;
    }

    /// <summary>The same over a sequence, however it is split. The caller slices <see cref="ScannedFrame.Length"/> bytes.</summary>
    public static ScanStatus Scan(in ReadOnlySequence<byte> buffer, int maxFrame, bool allowStream, out ScannedFrame frame)
    {
        if (buffer.IsSingleSegment)
        {
            return Scan(buffer.FirstSpan, maxFrame, allowStream, out frame);
        }

        Span<byte> header = stackalloc byte[ProtocolLimits.HeaderSize];
        int have = (int)Math.Min(buffer.Length, header.Length);
        buffer.Slice(0, have).CopyTo(header);
        ScanStatus status = Scan(header[..have], maxFrame, allowStream, out frame);
        if (status != ScanStatus.NeedMoreData || frame.Length == 0 || buffer.Length < frame.Length)
        {
            return status;
        }

        int contentEnd = ProtocolLimits.HeaderSize + frame.PayloadLength;
        foreach (ReadOnlyMemory<byte> part in buffer.Slice(contentEnd, frame.Length - contentEnd))
        {
            if (part.Span.ContainsAnyExcept((byte)0))
            {
                return Fail(ref frame, ErrorCode.BadPadding);
            }
        }

        return ScanStatus.Done;
    }

    private static ErrorCode ReadPrologue(ReadOnlySpan<byte> header, int maxFrame, bool allowStream, ref ScannedFrame frame)
    {
        if (header[0] != 0x56 || header[1] != 0x32)
        {
            return ErrorCode.BadMagic;
        }

        frame.Version = header[2];
        frame.Encoding = (PayloadEncoding)header[3];
        frame.Type = (FrameType)header[StreamHeader.TypeAt];
        uint length = BinaryPrimitives.ReadUInt32BigEndian(header[StreamHeader.LengthAt..]);
        if (frame.Version == 1)
        {
            return ReadEnvelope(header, length, maxFrame, ref frame);
        }

        if (frame.Version != 2 || !allowStream)
        {
            return ErrorCode.BadVersion;
        }

        if (!new StreamHeader(header).HasValidHeaderCrc)
        {
            return ErrorCode.BadHeaderCrc;
        }

        if (frame.Type is < FrameType.Publish or > FrameType.Close)
        {
            return ErrorCode.BadType;
        }

        return frame.Encoding != PayloadEncoding.Plain ? ErrorCode.BadEncoding : SetLength(length, maxFrame, ref frame);
    }

    private static ErrorCode ReadEnvelope(ReadOnlySpan<byte> header, uint length, int maxFrame, ref ScannedFrame frame)
    {
        if (frame.Type > FrameType.Error)
        {
            return ErrorCode.BadType;
        }

        if (frame.Encoding > PayloadEncoding.Plain)
        {
            return ErrorCode.BadEncoding;
        }

        return (header[5] | header[6] | header[7]) != 0 ? ErrorCode.ReservedNotZero : SetLength(length, maxFrame, ref frame);
    }

    private static ErrorCode SetLength(uint length, int maxFrame, ref ScannedFrame frame)
    {
        long whole = ProtocolLimits.HeaderSize + (long)length;
        if (frame.Version == 2)
        {
            whole = (whole + (ProtocolLimits.FrameAlignment - 1)) & ~(ProtocolLimits.FrameAlignment - 1L);
        }

        // A deliver may carry one stored frame of the full size, behind its own header and exclusion list.
        long limit = frame.Type == FrameType.Deliver ? (long)maxFrame + DeliverFrame.Measure(ProtocolLimits.MaxExclusionsPerDeliver) : maxFrame;
        if (whole > Math.Min(limit, Array.MaxLength))
        {
            return ErrorCode.FrameTooLarge;
        }

        frame.PayloadLength = (int)length;
        frame.Length = (int)whole;
        return ErrorCode.None;
    }

    private static ScanStatus Fail(ref ScannedFrame frame, ErrorCode error)
    {
        frame.Error = error;
        return ScanStatus.Invalid;
    }
}
