using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Sessions.Lines;

/// <summary>
/// Goes through the records of a deliver, leaving out those that are excluded. Every stored frame is checked before a record of it
/// is shown. Runs on: the pump.
/// </summary>
internal sealed class DeliverCursor
{
    private readonly byte[] _deliver;
    private int _frameAt;
    private int _frameLength;
    private uint _indexInFrame;
    private int _recordAt;
    private int _recordLength;
    private int _exclusion;

    public DeliverCursor(byte[] deliver)
    {
        _deliver = deliver;
        var frame = new DeliverFrame(deliver);
        Epoch = frame.SubscriptionEpoch;
        SelectedInAll = frame.SelectedInAll;
        BytesInAll = frame.BytesInAll;
        SelectedBefore = frame.SelectedInAll - frame.Selected;
        RedeliveryCount = frame.RedeliveryCount;
        _frameAt = frame.RunAt;
    }

    public int Length => _deliver.Length;
    public uint Epoch { get; }
    public ulong SelectedInAll { get; }
    public ulong BytesInAll { get; }
    public ulong SelectedBefore { get; }
    public int RedeliveryCount { get; }

    /// <summary>Selected records passed so far, the one it stands on included.</summary>
    public uint Selected { get; private set; }

    /// <summary>Why <see cref="MoveNext"/> has answered false before the end.</summary>
    public ErrorCode? Fault { get; private set; }

    /// <summary>Offset of the record it stands on.</summary>
    public long Offset { get; private set; }

    /// <summary>The frame of the record it stands on.</summary>
    public StreamHeader Header => new(_deliver.AsSpan(_frameAt));

    /// <summary>Goes to the next record that is not excluded. False at the end, or at a <see cref="Fault"/>.</summary>
    public bool MoveNext(UnpackedFrame unpacked)
    {
        while (_frameAt < _deliver.Length)
        {
            if (_frameLength == 0 && !Enter())
            {
                return false;
            }

            if (!unpacked.TryLoad(this, _frameAt, _deliver.AsMemory(_frameAt, _frameLength)))
            {
                Fault = ErrorCode.Undecodable;
                return false;
            }

            StreamHeader header = Header;
            while (_indexInFrame < header.RecordCount)
            {
                if (!unpacked.TryMeasure(_recordAt, out int length))
                {
                    Fault = ErrorCode.Undecodable;
                    return false;
                }

                long offset = header.Offset + _indexInFrame++;
                _recordLength = length;
                int start = _recordAt;
                _recordAt += length;
                if (!IsExcluded(offset))
                {
                    Offset = offset;
                    RecordStart = start;
                    Selected++;
                    return true;
                }
            }

            unpacked.Forget();
            Leave();
        }

        return false;
    }

    /// <summary>The record it stands on; <paramref name="unpacked"/> as given to the last <see cref="MoveNext"/>.</summary>
    public Record Read(UnpackedFrame unpacked) => unpacked.Read(RecordStart, _recordLength);

    /// <summary>Leaves a frame that cannot be read: its offsets, without those that are excluded.</summary>
    public List<(long First, uint Count)> Skip()
    {
        Fault = null;
        var ranges = new List<(long First, uint Count)>();
        StreamHeader header = Header;
        for (long offset = header.Offset; offset < header.EndOffset; offset++)
        {
            if (IsExcluded(offset))
            {
                continue;
            }

            if (ranges.Count > 0 && ranges[^1] is var last && last.First + last.Count == offset)
            {
                ranges[^1] = (last.First, last.Count + 1);
            }
            else
            {
                ranges.Add((offset, 1));
            }
        }

        Leave();
        return ranges;
    }

    /// <summary>True when a deliver holds a record from <paramref name="from"/> up to but not including <paramref name="to"/> that is not excluded.</summary>
    public static bool Selects(in DeliverFrame deliver, long from, long to)
    {
        var run = new RunReader(deliver.Run);
        int exclusion = 0;
        while (run.TryRead(out StoredFrame frame) && frame.Header.Offset < to)
        {
            long offset = Math.Max(from, frame.Header.Offset), end = Math.Min(to, frame.Header.EndOffset);
            while (offset < end)
            {
                if (exclusion == deliver.ExclusionCount)
                {
                    return true;
                }

                (uint first, uint count) = deliver.Exclusion(exclusion);
                if (offset < deliver.FirstOffset + first)
                {
                    return true;
                }

                offset = Math.Max(offset, deliver.FirstOffset + first + count);
                exclusion += offset < end ? 1 : 0;
            }
        }

        return false;
    }

    private int RecordStart { get; set; }

    private bool Enter()
    {
        var run = new RunReader(_deliver.AsSpan(_frameAt));
        if (!run.TryRead(out StoredFrame frame) || !frame.IsIntact)
        {
            Fault = ErrorCode.DataDamaged;
            return false;
        }

        _frameLength = frame.Bytes.Length;
        return true;
    }

    private void Leave()
    {
        _frameAt += _frameLength;
        _frameLength = _recordAt = 0;
        _indexInFrame = 0;
    }

    // Offsets only go up, so the exclusions are walked once.
    private bool IsExcluded(long offset)
    {
        var deliver = new DeliverFrame(_deliver);
        long relative = offset - deliver.FirstOffset;
        for (; _exclusion < deliver.ExclusionCount; _exclusion++)
        {
            (uint first, uint count) = deliver.Exclusion(_exclusion);
            if (relative < first + (long)count)
            {
                return relative >= first;
            }
        }

        return false;
    }
}
