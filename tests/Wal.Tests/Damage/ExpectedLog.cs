namespace Danube.Fast.Wal.Tests;

/// <summary>
/// What must be left of a log, by the rules of docs/wal-format.md and from the list of frames and headers that are still whole: written down a
/// second time, without bytes, so that it can contradict the recovery.
/// </summary>
internal sealed class ExpectedLog
{
    private readonly WrittenLog _log;
    private readonly Func<WrittenFrame, bool> _isWhole;
    private readonly Func<int, bool> _hasHeader;

    private ExpectedLog(WrittenLog log, Func<WrittenFrame, bool> isWhole, Func<int, bool> hasHeader)
    {
        _log = log;
        _isWhole = isWhole;
        _hasHeader = hasHeader;
    }

    public long End { get; private set; }

    public List<(long From, long To)> Damages { get; } = [];

    /// <summary>Frames that are served, by offset.</summary>
    public List<WrittenFrame> Frames { get; } = [];

    /// <summary>Frames that were written are gone.</summary>
    public bool IsShortened => Frames.Count < _log.Frames.Count;

    /// <summary>Acknowledged offsets that are neither served nor reported: nothing on the disk says that they ever existed.</summary>
    public long Unprovable => Math.Max(0, _log.Acknowledged - End);

    public static ExpectedLog Whole(WrittenLog log) => Of(log, log.Recorded, _ => true, _ => true);

    /// <param name="log">What was written.</param>
    /// <param name="recorded">Durable end that cursors.log proves.</param>
    /// <param name="isWhole">The frame is there with all its bytes.</param>
    /// <param name="hasHeader">The header of the segment with this index is there.</param>
    public static ExpectedLog Of(WrittenLog log, long recorded, Func<WrittenFrame, bool> isWhole, Func<int, bool> hasHeader)
    {
        var expected = new ExpectedLog(log, isWhole, hasHeader);
        expected.Walk(recorded);
        return expected;
    }

    private void Walk(long recorded)
    {
        long next = 0;
        int segment = -1;
        for (int i = 0; i < _log.Frames.Count; i++)
        {
            WrittenFrame frame = _log.Frames[i];
            bool enters = frame.Segment != segment && frame.Position == SegmentHeader.Size;
            if (_isWhole(frame) && (!enters || _hasHeader(frame.Segment)))
            {
                segment = frame.Segment;
                Frames.Add(frame);
                next = frame.End;
                continue;
            }

            // A bad place. Is anything behind it proof that it was acknowledged?
            long proven = Math.Max(recorded, ProvenBehind(i));
            int good = NextGood(i, out long goesOnAt);
            if (proven <= frame.Offset || goesOnAt < 0)
            {
                break;
            }

            AddDamage(frame.Offset, goesOnAt);
            next = goesOnAt;
            segment = good < _log.Frames.Count ? _log.Frames[good].Segment : segment;
            i = good - 1;
        }

        AddDamage(next, recorded);
        End = Math.Max(next, recorded);
    }

    private void AddDamage(long from, long to)
    {
        if (from < to)
        {
            Damages.Add((from, to));
        }
    }

    // Of frames and of the headers of later segments.
    private long ProvenBehind(int bad)
    {
        long proven = 0;
        for (int i = bad; i < _log.Frames.Count; i++)
        {
            WrittenFrame frame = _log.Frames[i];
            proven = _isWhole(frame) ? Math.Max(proven, frame.Proven) : proven;
        }

        for (int s = FirstSegmentBehind(bad); s < _log.Segments.Count; s++)
        {
            proven = _hasHeader(s) ? Math.Max(proven, _log.Segments[s].DurableEnd) : proven;
        }

        return proven;
    }

    // The next whole frame, or the place where a later segment with a good header begins: there the log goes on, even when its first frame is bad too.
    private int NextGood(int bad, out long at)
    {
        int header = Enumerable.Range(0, _log.Segments.Count).FirstOrDefault(s => s >= FirstSegmentBehind(bad) && _hasHeader(s), -1);
        for (int i = bad; i < _log.Frames.Count; i++)
        {
            WrittenFrame frame = _log.Frames[i];
            if (_isWhole(frame) || (header >= 0 && frame.Segment >= header))
            {
                at = frame.Offset;
                return i;
            }
        }

        at = header >= 0 ? _log.Segments[header].BaseOffset : -1;
        return _log.Frames.Count;
    }

    private int FirstSegmentBehind(int bad) => _log.Frames[bad].Segment + 1;
}
