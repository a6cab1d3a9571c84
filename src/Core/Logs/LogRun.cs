namespace Danube.Fast.Core;

/// <summary>Keeps the memory of a <see cref="LogRun"/> valid. One <see cref="Release"/> for every run handed out.</summary>
public abstract class LogRunOwner
{
    /// <summary>Takes one more reference on the same memory (a second consumer gets the same run).</summary>
    public abstract void Retain();

    /// <summary>Gives one reference back. The memory may be unmapped or reused after the last one.</summary>
    public abstract void Release();
}

/// <summary>
/// Consecutive stored frames of one segment, as they lie in the log. The first frame is whole; the bytes may end inside a later
/// one (the reader takes whole frames only). The holder must call <see cref="LogRunOwner.Release"/> exactly once.
/// </summary>
public readonly struct LogRun(ReadOnlyMemory<byte> bytes, LogRunOwner owner)
{
    /// <summary>Frames in wire form, each padded to 8 bytes; starts at a frame header.</summary>
    public ReadOnlyMemory<byte> Bytes { get; } = bytes;

    public LogRunOwner Owner { get; } = owner;

    /// <summary>The same memory and reference, cut to <paramref name="length"/> bytes.</summary>
    public LogRun Take(int length) => new(Bytes[..length], Owner);
}

/// <summary>
/// Where a reader stands. <see cref="Offset"/> is what counts; the rest is the log's own hint that spares an index lookup, and is
/// checked by the log before use.
/// </summary>
public struct LogPosition
{
    /// <summary>Next offset wanted.</summary>
    public long Offset;

    /// <summary>Base offset of the segment the hint is about; -1 = no hint.</summary>
    public long SegmentBase;

    /// <summary>Byte position in that segment of the frame that holds <see cref="Offset"/>.</summary>
    public long Position;

    public static LogPosition At(long offset) => new() { Offset = offset, SegmentBase = -1 };

    /// <summary>Moves behind <paramref name="bytes"/> of whole frames that end before <paramref name="nextOffset"/>.</summary>
    public void Advance(int bytes, long nextOffset)
    {
        Offset = nextOffset;
        Position += bytes;
    }
}

/// <summary>Answer of <see cref="TopicLog.Read"/>.</summary>
public enum ReadStatus
{
    Ok,

    /// <summary>Nothing visible at this offset yet.</summary>
    AtEnd,

    /// <summary>The offset lies below the log start: continue at <see cref="TopicLog.LogStart"/>.</summary>
    BelowStart,

    /// <summary>Not in mapped memory: use <see cref="TopicLog.BeginColdRead"/>.</summary>
    Cold,

    /// <summary>The offset lies in a damaged range: continue at the offset that <see cref="TopicLog.EndOfDamage"/> names, and count what is skipped.</summary>
    Damaged,

    /// <summary>The log cannot be read (closed or I/O error).</summary>
    Failed,
}

/// <summary>Takes the result of a cold read. Called once, on a reader thread; must not block.</summary>
public interface IColdReadSink
{
    /// <param name="status">As <see cref="TopicLog.Read"/>, never <see cref="ReadStatus.Cold"/>.</param>
    /// <param name="run">The run when <paramref name="status"/> is Ok; the sink releases it.</param>
    /// <param name="position">The asked position with the log's hint filled in.</param>
    void OnColdRead(ReadStatus status, LogRun run, LogPosition position);
}
