using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

/// <summary>
/// A piece of a memory log. It goes back to the log for reuse when the log has let go of it and no reader holds it.
/// Runs on: the appending thread (writes), readers. Shared with: each other; <see cref="Length"/> is published last.
/// </summary>
internal sealed class MemoryChunk(int capacity) : LogRunOwner
{
    private MemoryTopicLog? _log;
    private int _references;
    private int _length;

    public byte[] Buffer { get; } = GC.AllocateUninitializedArray<byte>(capacity);

    public long BaseOffset { get; private set; }

    /// <summary>First offset behind the chunk. Under the append lock, or when it is not the last one.</summary>
    public long EndOffset { get; private set; }

    public long LastAppendTimeMicros { get; private set; }

    /// <summary>Bytes of whole frames.</summary>
    public int Length => Volatile.Read(ref _length);

    public void Open(MemoryTopicLog log, long baseOffset)
    {
        _log = log;
        _references = 1;
        BaseOffset = baseOffset;
        EndOffset = baseOffset;
        LastAppendTimeMicros = 0;
        Volatile.Write(ref _length, 0);
    }

    public void Write(ReadOnlySpan<byte> frames, long endOffset, long appendTimeMicros)
    {
        frames.CopyTo(Buffer.AsSpan(_length));
        EndOffset = endOffset;
        LastAppendTimeMicros = appendTimeMicros;
        Volatile.Write(ref _length, _length + frames.Length);
    }

    public override void Retain() => Interlocked.Increment(ref _references);

    public override void Release()
    {
        if (Interlocked.Decrement(ref _references) == 0)
        {
            _log!.Reuse(this);
        }
    }

    /// <summary>Position of the frame that holds <paramref name="offset"/>, or -1 when it is not in the chunk's published bytes.</summary>
    public int Find(long offset, int from)
    {
        ReadOnlySpan<byte> bytes = Buffer.AsSpan(0, Length);
        while (from < bytes.Length)
        {
            var header = new StreamHeader(bytes[from..]);
            if (offset < header.EndOffset)
            {
                return offset >= header.Offset ? from : -1;
            }

            from += header.FrameLength;
        }

        return -1;
    }

    /// <summary>First offset appended at or after <paramref name="unixMicros"/>; -1 when there is none.</summary>
    public long FindTime(long unixMicros)
    {
        ReadOnlySpan<byte> bytes = Buffer.AsSpan(0, Length);
        while (!bytes.IsEmpty)
        {
            var header = new StreamHeader(bytes);
            if (header.AppendTimeMicros >= unixMicros)
            {
                return header.Offset;
            }

            bytes = bytes[header.FrameLength..];
        }

        return -1;
    }
}
