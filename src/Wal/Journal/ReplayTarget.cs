using Danube.Fast.Protocol;

namespace Danube.Fast.Wal;

/// <summary>Whether an entry may be written into the file of its name: never over something newer.</summary>
internal static class ReplayTarget
{
    /// <summary>Size of a segment that replay makes anew; it grows with what is written.</summary>
    public const long LeastFileBytes = 64 * 1024;

    /// <summary>
    /// False when the file holds a younger segment of the same name (an empty one was replaced), or when a frame of a higher generation stands at the place.
    /// </summary>
    public static bool Accepts(WalFile file, in JournalEntry entry, ReadOnlySpan<byte> data)
    {
        Span<byte> there = stackalloc byte[ProtocolLimits.HeaderSize];
        bool hasHeader = file.Read(there[..SegmentHeader.Size], 0) == SegmentHeader.Size && SegmentHeader.TryRead(there, out SegmentHeader header)
            && header.TopicId == entry.TopicId && header.BaseOffset == entry.SegmentBase
            && header.Generation > entry.SegmentGeneration;
        if (hasHeader)
        {
            return false;
        }

        ReadOnlySpan<byte> frame = entry.Position == 0 ? data[Math.Min(data.Length, SegmentHeader.Size)..] : data;
        long position = entry.Position == 0 ? SegmentHeader.Size : entry.Position;
        return frame.Length < there.Length || file.Read(there, position) != there.Length || !FrameCheck.IsHeader(there, long.MaxValue, out _)
            || new StreamHeader(there).Generation <= new StreamHeader(frame).Generation;
    }
}
