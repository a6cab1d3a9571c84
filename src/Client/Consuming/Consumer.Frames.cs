using System.Buffers.Binary;
using Danube.Fast.Protocol;

namespace Danube.Fast.Client;

/// <summary>
/// The reader's place: deliver, stored frame, record. Every stored frame is checked (both CRCs, then that its records can be walked) before the
/// first of its messages is given out. Runs on: the reader.
/// </summary>
public sealed partial class Consumer
{
    private readonly FrameView _view = new();
    private readonly int _maxRawLength;
    private readonly ProcessTrace _process;
    private Deliver _deliver;
    private ConsumerSession? _session;
    private byte[]? _scratch;
    private uint _epoch, _generation;
    private int _partition;

    // Of the deliver: where its next frame begins, where the run ends, credit position and first offset of the next frame.
    private int _frameAt, _runEnd;
    private ulong _taken;
    private long _nextOffset;

    // Of the frame: next record, end of the records, records left, offset of the next one.
    private int _at, _recordsEnd, _left;
    private long _offset;
    private bool _isTraced;

    // Below it the application may have acknowledged offsets before a reconnect.
    private long _settledEnd;

    // Of the exclusion list: next entry, and its bounds as offsets.
    private int _exclusion, _exclusions;
    private long _skipFrom = long.MaxValue, _skipTo = long.MaxValue;

    /// <summary>Goes to the next frame with something to read; false when nothing is there. Drops what does not count any more.</summary>
    private bool TryNextFrame()
    {
        _left = 0;
        while (true)
        {
            if (_session is { } session)
            {
                if (!session.IsCurrent(_epoch) || _frameAt == _runEnd)
                {
                    FinishDeliver(session);
                }
                else if (TryOpenFrame(session))
                {
                    session.ReplenishIfDue();
                    return true;
                }
            }
            else if (Queue.TryDequeue(out _deliver))
            {
                OpenDeliver();
            }
            else
            {
                return false;
            }
        }
    }

    private void OpenDeliver()
    {
        var frame = new DeliverFrame(_deliver.Block.Bytes.AsSpan(_deliver.At, _deliver.Length));
        _session = _deliver.Session;
        _epoch = _deliver.Epoch;
        _partition = _session.Owner.Partition;
        _frameAt = _deliver.At + frame.RunAt;
        _runEnd = _frameAt + frame.Run.Length;
        _taken = frame.SelectedInAll - frame.Selected;
        _nextOffset = frame.FirstOffset;
        _view.RedeliveryCount = frame.RedeliveryCount;
        _view.HeaderBytes = _deliver.Block.Bytes;
        _exclusion = 0;
        _exclusions = frame.ExclusionCount;
        NextExclusion();
    }

    private void FinishDeliver(ConsumerSession session)
    {
        if (!session.IsOver)
        {
            // Also when it was dropped: the position counts what the broker has sent.
            var frame = new DeliverFrame(_deliver.Block.Bytes.AsSpan(_deliver.At, _deliver.Length));
            session.Finish(frame.SelectedInAll, frame.BytesInAll);
        }

        _session = null;
        _deliver.Block.Release();
        _deliver = default;
    }

    /// <summary>Checks the next frame of the run. False when it has nothing to read, or cannot be read and was given back.</summary>
    private bool TryOpenFrame(ConsumerSession session)
    {
        byte[] bytes = _deliver.Block.Bytes;
        var run = new RunReader(bytes.AsSpan(_frameAt, _runEnd - _frameAt));
        if (!run.TryRead(out StoredFrame frame) || !frame.IsIntact || frame.Header.Offset != _nextOffset)
        {
            OnCorrupt(session);
            return false;
        }

        StreamHeader header = frame.Header;
        int headerAt = _frameAt;
        uint count = header.RecordCount;
        _frameAt += frame.Bytes.Length;
        _offset = header.Offset;
        _nextOffset = header.Offset + count;
        _generation = header.Generation;
        _view.HeaderAt = headerAt;
        _isTraced = ProcessTrace.Covers(header);
        _settledEnd = session.Owner.SettledEnd;
        if (header.IsChunk)
        {
            _left = TryTakeChunk(session, frame) ? 1 : 0;
            return _left > 0;
        }

        if (_chunks.Count > 0)
        {
            EndBroken(session, header.ProducerId, header.Sequence, header.Sequence);
        }

        bool isBare = (header.Flags & FrameFlags.Bare) != 0;
        if (!Compression.TryUnpack(frame, _maxRawLength, ref _scratch, out ReadOnlySpan<byte> records)
            || !(isBare ? count == 1 : RecordReader.Walk(records, count)))
        {
            GiveBack(session, header.Offset, count);
            return false;
        }

        bool isPacked = header.Codec != Codec.None;
        _view.Records = isPacked ? _scratch! : bytes;
        _view.IsBare = isBare;
        _at = isPacked ? 0 : headerAt + ProtocolLimits.HeaderSize;
        _recordsEnd = _at + records.Length;
        _left = (int)count;
        return true;
    }

    /// <summary>Bytes that are not what the broker stored: the connection is not to be trusted. The next one brings them again.</summary>
    private void OnCorrupt(ConsumerSession session)
    {
        _frameAt = _runEnd;
        session.Connection.Close(new DanubeException(ErrorCode.BadContentCrc, $"A deliver of {Topic} is damaged at offset {_nextOffset}; the connection is made again."));
        session.End();
    }

    private void GiveBack(ConsumerSession session, long offset, uint count)
    {
        long end = offset + count;
        while (offset < end)
        {
            long next = Math.Min(end, offset < _skipFrom ? _skipFrom : _skipTo);
            if (offset < _skipFrom)
            {
                // Not the excluded ones: they may not have been delivered to anybody, and the broker takes no nack of those.
                session.Owner.Nack(offset, (uint)(next - offset), session, _epoch, AckFrame.BackOffDelay, NackReason.Undecodable);
                _taken += (ulong)(next - offset);
            }

            offset = next;
            if (offset >= _skipTo)
            {
                NextExclusion();
            }
        }

        session.Take(_taken);
    }

    /// <summary>Passes over the records of this frame that the exclusion at hand names.</summary>
    private void SkipExcluded()
    {
        long end = Math.Min(_skipTo, _nextOffset);
        for (; _offset < end; _offset++, _left--)
        {
            _at += _view.IsBare ? _recordsEnd - _at : 4 + BinaryPrimitives.ReadInt32BigEndian(_view.Records.AsSpan(_at));
        }

        if (_offset >= _skipTo)
        {
            NextExclusion();
        }
    }

    private void NextExclusion()
    {
        if (_exclusion == _exclusions)
        {
            _skipFrom = _skipTo = long.MaxValue;
            return;
        }

        var frame = new DeliverFrame(_deliver.Block.Bytes.AsSpan(_deliver.At, _deliver.Length));
        (uint first, uint count) = frame.Exclusion(_exclusion++);
        _skipFrom = frame.FirstOffset + first;
        _skipTo = _skipFrom + count;
    }
}
