namespace Danube.Fast.Protocol;

/// <summary>
/// Everything that is checked before a publish frame takes an offset. Allocates nothing. Source: wire protocol, "Publishing".
/// Runs on: the receiving thread of a connection.
/// </summary>
public static class PublishValidator
{
    /// <summary>
    /// Checks type, reserved fields, codec, content CRC, record count, lengths and, when the payload is not compressed, that its records
    /// walk to exactly the count. The header CRC is not checked again (<see cref="FrameScanner"/> has).
    /// </summary>
    /// <param name="frame">Header, payload and padding of one frame.</param>
    /// <param name="maxRawLength">Limit of the payload before compression, bytes.</param>
    public static ErrorCode Validate(ReadOnlySpan<byte> frame, int maxRawLength)
    {
        if (frame.Length < ProtocolLimits.HeaderSize)
        {
            return ErrorCode.BadPayload;
        }

        var header = new StreamHeader(frame);
        ErrorCode error = CheckHeader(header, frame.Length, maxRawLength);
        if (error != ErrorCode.None)
        {
            return error;
        }

        ReadOnlySpan<byte> payload = frame.Slice(ProtocolLimits.HeaderSize, (int)header.PayloadLength);
        if (!header.HasValidContentCrc(payload))
        {
            return ErrorCode.BadContentCrc;
        }

        if (header.Codec != Codec.None)
        {
            return payload.IsEmpty ? ErrorCode.BadRecords : ErrorCode.None;
        }

        // The first chunk of several tells the length of the whole message.
        if (header.RawLength != header.PayloadLength && (header.Flags & (FrameFlags.ChunkBegin | FrameFlags.ChunkEnd)) != FrameFlags.ChunkBegin)
        {
            return ErrorCode.BadRecords;
        }

        bool bare = (header.Flags & FrameFlags.Bare) != 0;
        return bare || RecordReader.Walk(payload, header.RecordCount) ? ErrorCode.None : ErrorCode.BadRecords;
    }

    private static ErrorCode CheckHeader(StreamHeader header, int frameLength, int maxRawLength)
    {
        if (!header.HasMagic)
        {
            return ErrorCode.BadMagic;
        }

        if (header.Version != 2)
        {
            return ErrorCode.BadVersion;
        }

        if (header.Type != FrameType.Publish)
        {
            return ErrorCode.BadType;
        }

        if (header.Encoding != PayloadEncoding.Plain)
        {
            return ErrorCode.BadEncoding;
        }

        if (header.PayloadLength > (uint)(frameLength - ProtocolLimits.HeaderSize))
        {
            return ErrorCode.BadPayload;
        }

        if (header.Codec > Codec.Brotli)
        {
            return ErrorCode.UnknownCodec;
        }

        return header.IsChunk ? CheckChunk(header, maxRawLength) : CheckCounts(header, maxRawLength);
    }

    /// <summary>A chunk is one bare record that is not compressed; index 0 and nothing else begins a message, and its length is not less than what it holds.</summary>
    private static ErrorCode CheckChunk(StreamHeader header, int maxRawLength)
    {
        if ((header.Flags & FrameFlags.Bare) == 0)
        {
            return header.Attributes != 0 ? ErrorCode.ReservedNotZero : ErrorCode.BadRecords;
        }

        if (header.PayloadLength > (uint)maxRawLength)
        {
            return ErrorCode.FrameTooLarge;
        }

        bool begins = (header.Flags & FrameFlags.ChunkBegin) != 0;
        return header.RecordCount == 1 && header.Codec == Codec.None && begins == (header.Attributes == 0) && header.RawLength >= header.PayloadLength
            ? ErrorCode.None
            : ErrorCode.BadRecords;
    }

    private static ErrorCode CheckCounts(StreamHeader header, int maxRawLength)
    {
        uint count = header.RecordCount, raw = header.RawLength;
        if (raw > (uint)maxRawLength)
        {
            return ErrorCode.FrameTooLarge;
        }

        if ((header.Flags & FrameFlags.Bare) != 0)
        {
            return count == 1 ? ErrorCode.None : ErrorCode.BadRecords;
        }

        return count is >= 1 and <= ProtocolLimits.MaxRecordsPerFrame && (ulong)count * ProtocolLimits.MinRecordSize <= raw
            ? ErrorCode.None
            : ErrorCode.BadRecords;
    }
}
