using Danube.Fast.Protocol;

namespace Danube.Fast.Wal;

/// <summary>What makes bytes of a segment a stored frame. Offsets, generations and epochs are the callers' part of the rule.</summary>
internal static class FrameCheck
{
    /// <summary>First bytes of every stored frame: magic, version 2, plain, publish.</summary>
    public static ReadOnlySpan<byte> Prologue => [0x56, 0x32, 2, (byte)PayloadEncoding.Plain, (byte)FrameType.Publish];

    /// <summary>True for a sealed header of a frame or end marker that fits into <paramref name="room"/> bytes.</summary>
    /// <param name="bytes">At least a header.</param>
    /// <param name="room">Bytes from the header's first one to the end of the file.</param>
    /// <param name="length">Whole frame with padding.</param>
    public static bool IsHeader(ReadOnlySpan<byte> bytes, long room, out int length)
    {
        length = 0;
        var header = new StreamHeader(bytes);
        if (!header.HasMagic || header.Version != 2 || header.PayloadLength > ProtocolLimits.MaxNegotiableFrame
            || header.Type is not (FrameType.Publish or FrameType.EndOfSegment) || !header.HasValidHeaderCrc)
        {
            return false;
        }

        length = header.FrameLength;
        bool fits = length <= room && header.Offset >= 0;
        return header.Type == FrameType.Publish ? fits && header.RecordCount is > 0 and <= ProtocolLimits.MaxRecordsPerFrame : fits && header.PayloadLength == 0;
    }

    /// <summary>Checks payload and padding of a whole frame whose header is good.</summary>
    public static bool HasGoodContent(ReadOnlySpan<byte> frame)
    {
        var header = new StreamHeader(frame);
        int end = ProtocolLimits.HeaderSize + (int)header.PayloadLength;
        return header.HasValidContentCrc(frame[ProtocolLimits.HeaderSize..end]) && !frame[end..header.FrameLength].ContainsAnyExcept((byte)0);
    }

    /// <summary>Durable end that the writer of a frame knew.</summary>
    public static long ProvenDurable(in StreamHeader header) => Math.Max(0, header.Offset - header.DurableLag);

    /// <summary>Writes the marker that ends a segment; its offset is the first one of the next segment.</summary>
    public static void WriteEndMarker(Span<byte> to, long endOffset, long timeMicros, uint epoch, uint generation)
    {
        StreamHeaderWriter.Begin(to, FrameType.EndOfSegment, 0, 0);
        StreamHeaderWriter.Stamp(to, endOffset, timeMicros, epoch, generation, 0);
    }
}
