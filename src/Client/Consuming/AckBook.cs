using System.Buffers;
using Danube.Fast.Protocol;

namespace Danube.Fast.Client;

/// <summary>What <see cref="AckBook.Add"/> asks its caller to do.</summary>
internal enum AckStep
{
    None,

    /// <summary>The first of a new collection: see to it that it is sent soon.</summary>
    Started,

    /// <summary>Enough is collected: send now.</summary>
    Due,
}

/// <summary>
/// Acknowledgements of one partition until they are sent: neighbours grow together into ranges. The latest sent ones are remembered, because
/// nothing tells whether the broker has read them: after a reconnect in the same epoch they are sent again.
/// Runs on: any thread. Shared with: acknowledging threads and the timer, through <c>_gate</c>.
/// </summary>
internal sealed class AckBook
{
    private const int DueRecords = 4096, DueRanges = 64, RangesPerFrame = 256;

    private readonly Lock _gate = new();
    private readonly (long From, long To)[] _sent = new (long, long)[RangesPerFrame];
    private (long From, long To)[] _ranges = new (long, long)[DueRanges * 2];
    private int _rangeCount, _pending, _sentCount;
    private long _from, _to, _cumulative;
    private uint _epoch, _oldestEpoch;

    /// <summary>True when something waits to be sent.</summary>
    public bool HasPending => Volatile.Read(ref _pending) > 0;

    public AckStep Add(long offset, uint? epoch)
    {
        lock (_gate)
        {
            if (epoch < _oldestEpoch)
            {
                return AckStep.None;
            }

            if (offset == _to && _to > _from)
            {
                _to++;
            }
            else
            {
                StartRange(offset);
            }

            _pending++;
            return _pending == 1 ? AckStep.Started : _pending >= DueRecords || _rangeCount >= DueRanges ? AckStep.Due : AckStep.None;
        }
    }

    /// <summary>Everything up to and including <paramref name="offset"/>.</summary>
    public AckStep AddCumulative(long offset, uint? epoch)
    {
        lock (_gate)
        {
            if (epoch < _oldestEpoch)
            {
                return AckStep.None;
            }

            _cumulative = Math.Max(_cumulative, offset + 1);
            _pending++;
            return _pending == 1 ? AckStep.Started : _pending >= DueRecords ? AckStep.Due : AckStep.None;
        }
    }

    /// <summary>
    /// A channel was opened or a seek was answered. What was collected is kept (<paramref name="keep"/>) only while the epoch is the same: in a new one
    /// the broker refuses to hear of offsets that it has not delivered in it. They come again, and are acknowledged then.
    /// </summary>
    public void Begin(uint epoch, bool keep)
    {
        lock (_gate)
        {
            if (!keep || epoch != _epoch)
            {
                Clear();
                _oldestEpoch = epoch;
            }
            else
            {
                Recall();
            }

            _sentCount = 0;
            _epoch = epoch;
        }
    }

    /// <summary>True when a message delivered in <paramref name="epoch"/> can still be acknowledged or given back.</summary>
    public bool Accepts(uint epoch)
    {
        lock (_gate)
        {
            return epoch >= _oldestEpoch;
        }
    }

    /// <summary>Hands everything collected to the connection of a session.</summary>
    public void Send(ConsumerSession session)
    {
        if (!HasPending)
        {
            return;
        }

        lock (_gate)
        {
            if (_pending == 0 || session.IsOver)
            {
                return;
            }

            CloseRange();
            byte[] frame = ArrayPool<byte>.Shared.Rent(AckFrame.Measure(Math.Min(_rangeCount, RangesPerFrame)));
            int sent = 0;
            do
            {
                int ranges = Math.Min(_rangeCount - sent, RangesPerFrame);
                AckFrame.BeginAck(frame, session.Channel, _cumulative, ranges, _epoch);
                for (int i = 0; i < ranges; i++, sent++)
                {
                    _sent[_sentCount++ % _sent.Length] = _ranges[sent];
                    AckFrame.WriteRange(frame, i, _ranges[sent].From, (uint)(_ranges[sent].To - _ranges[sent].From));
                }

                StreamHeaderWriter.SealHeader(frame);
                session.Connection.Sends.TryEnqueue(frame.AsSpan(0, AckFrame.Measure(ranges)));
            }
            while (sent < _rangeCount);
            ArrayPool<byte>.Shared.Return(frame);
            Clear();
        }

        session.Connection.Sends.Flush();
    }

    /// <summary>Makes the latest sent ranges pending again.</summary>
    private void Recall()
    {
        for (int i = Math.Max(0, _sentCount - _sent.Length); i < _sentCount; i++)
        {
            CloseRange();
            (_from, _to) = _sent[i % _sent.Length];
            _pending++;
        }
    }

    private void StartRange(long offset)
    {
        // Most likely the one just below: two consumers' work or a nack in between leave gaps, not disorder.
        CloseRange();
        _from = offset;
        _to = offset + 1;
    }

    private void CloseRange()
    {
        if (_to == _from)
        {
            return;
        }

        if (_rangeCount == _ranges.Length)
        {
            Array.Resize(ref _ranges, _rangeCount * 2);
        }

        _ranges[_rangeCount++] = (_from, _to);
        _from = _to = 0;
    }

    private void Clear()
    {
        _rangeCount = 0;
        _from = _to = _cumulative = 0;
        _pending = 0;
    }
}
