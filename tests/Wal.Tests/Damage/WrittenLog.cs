using Danube.Fast.Protocol;

namespace Danube.Fast.Wal.Tests;

/// <summary>A frame as it was appended.</summary>
/// <param name="Segment">Index of its segment in <see cref="WrittenLog.Segments"/>.</param>
/// <param name="Position">Its first byte there.</param>
/// <param name="Bytes">As the broker stamped it.</param>
internal sealed record WrittenFrame(int Segment, int Position, byte[] Bytes)
{
    public long Offset { get; } = new StreamHeader(Bytes).Offset;

    public long End { get; } = new StreamHeader(Bytes).EndOffset;

    /// <summary>Durable end that it proves.</summary>
    public long Proven { get; } = Math.Max(0, new StreamHeader(Bytes).Offset - new StreamHeader(Bytes).DurableLag);

    public uint Generation { get; } = new StreamHeader(Bytes).Generation;

    public int EndPosition => Position + Bytes.Length;

    public ulong LastSequence => new StreamHeader(Bytes).Sequence + new StreamHeader(Bytes).RecordCount - 1;
}

/// <summary>A segment as it was written.</summary>
/// <param name="Path">The file.</param>
/// <param name="BaseOffset">Offset of its first frame.</param>
/// <param name="DurableEnd">What its header proves.</param>
/// <param name="DataEnd">Behind the last frame; an end marker may follow.</param>
/// <param name="Length">Of the file.</param>
/// <param name="Header">Its first bytes.</param>
internal sealed record WrittenSegment(string Path, long BaseOffset, long DurableEnd, int DataEnd, int Length, byte[] Header);

/// <summary>What a log had been given when its machine stopped: the truth that every damaged image is held against.</summary>
internal sealed class WrittenLog(ulong topicId)
{
    public ulong TopicId => topicId;

    public ulong ProducerId => topicId + 10;

    public List<WrittenFrame> Frames { get; } = [];

    public List<WrittenSegment> Segments { get; } = [];

    /// <summary>Everything below was acknowledged.</summary>
    public long Acknowledged { get; set; }

    /// <summary>Durable end that cursors.log names.</summary>
    public long Recorded { get; set; }

    public long End => Frames.Count > 0 ? Frames[^1].End : 0;

    /// <summary>The producer's last sequence in front of an offset.</summary>
    public ulong LastSequenceBelow(long offset) => Frames.LastOrDefault(f => f.End <= offset)?.LastSequence ?? 0;
}
