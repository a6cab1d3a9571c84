using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

/// <summary>One producer on one topic: last sequence and its latest frames. Under the log's append lock only.</summary>
internal sealed class ProducerEntry
{
    /// <summary>Frames remembered for recognising resends.</summary>
    public const int MaxFrames = 64;

    private FrameMark[] _frames = new FrameMark[4];
    private int _newest = -1;

    public ulong LastSequence { get; private set; }
    public long LastOffset { get; private set; } = -1;
    public long LastUsedMicros { get; set; }
    public int FrameCount { get; private set; }

    /// <summary>Payload bytes of the message in chunks whose beginning is stored and whose end is not, as far as this process has seen them.</summary>
    public long OpenMessageBytes { get; private set; }

    public struct FrameMark
    {
        public ulong Sequence;
        public long Offset;
        public uint Count;

        /// <summary>Generation of the frame; 0 = not known: it was read from a snapshot of format 1.</summary>
        public uint Generation;
    }

    public void SetBaseline(ulong lastSequence) => LastSequence = Math.Max(LastSequence, lastSequence);

    /// <summary>Judges a frame. <paramref name="original"/> is set for a duplicate.</summary>
    public SequenceVerdict Check(ulong sequence, uint count, out FrameMark original)
    {
        original = new FrameMark { Offset = -1 };
        if (sequence == LastSequence + 1)
        {
            return SequenceVerdict.Accept;
        }

        if (sequence > LastSequence)
        {
            return SequenceVerdict.Gap;
        }

        for (int age = 0; age < FrameCount; age++)
        {
            FrameMark mark = Frame(age);
            if (mark.Sequence == sequence)
            {
                original = mark;
                return mark.Count == count ? SequenceVerdict.Duplicate : SequenceVerdict.Mismatch;
            }
        }

        return SequenceVerdict.Mismatch;
    }

    public void Record(ulong sequence, uint count, long offset, uint generation = 0)
    {
        if (FrameCount == _frames.Length && _frames.Length < MaxFrames)
        {
            Grow();
        }

        _newest = (_newest + 1) % _frames.Length;
        _frames[_newest] = new FrameMark { Sequence = sequence, Offset = offset, Count = count, Generation = generation };
        FrameCount = Math.Min(FrameCount + 1, _frames.Length);
        LastSequence = sequence + count - 1;
        LastOffset = offset + count - 1;
    }

    /// <summary>Notes a frame that was stored: a chunk adds to its message, a first one and anything else begins anew.</summary>
    public void NoteChunk(StreamHeader header) => OpenMessageBytes = !header.IsChunk || (header.Flags & FrameFlags.ChunkEnd) != 0 ? 0
        : header.PayloadLength + ((header.Flags & FrameFlags.ChunkBegin) != 0 ? 0 : OpenMessageBytes);

    /// <summary>Length that a message in chunks has with this one at least, whatever its first chunk says.</summary>
    public long MessageBytesWith(StreamHeader header) => header.PayloadLength + ((header.Flags & FrameFlags.ChunkBegin) != 0 ? 0 : OpenMessageBytes);

    /// <summary>Frame <paramref name="age"/>: 0 = the newest, up to <see cref="FrameCount"/> - 1.</summary>
    public FrameMark Frame(int age) => _frames[(_newest - age + _frames.Length) % _frames.Length];

    private void Grow()
    {
        var larger = new FrameMark[_frames.Length * 2];
        for (int age = 0; age < FrameCount; age++)
        {
            larger[FrameCount - 1 - age] = Frame(age);
        }

        _newest = FrameCount - 1;
        _frames = larger;
    }
}
