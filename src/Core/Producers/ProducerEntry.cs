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
