using System.Buffers;
using Danube.Fast.Protocol;

namespace Danube.Fast.Client;

/// <summary>What adding to an <see cref="AckBook"/> asks its caller to do.</summary>
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
/// nothing tells whether the broker has read them. After a reconnect in the same epoch they are sent again. In a new epoch the broker takes no
/// acknowledgement of an offset before it has delivered it in that epoch: then they are settled, and answered when the offset comes again.
/// Runs on: any thread. Shared with: acknowledging threads, the reader and the timer, through <c>_gate</c>; the next offset of the open range
/// goes past it, see <see cref="TryExtend"/>.
/// </summary>
internal sealed partial class AckBook
{
    private const int DueRecords = 4096, DueRanges = 64, RangesPerFrame = 256;

    private readonly Lock _gate = new();
    private readonly (long From, long To)[] _sent = new (long, long)[RangesPerFrame];
    private (long From, long To)[] _ranges = new (long, long)[DueRanges * 2];
    private int _rangeCount, _pending;
    private long _cumulative, _sentCount;
    private uint _epoch, _oldestEpoch;
    private ConsumerSession? _session;

    /// <summary>True when something waits to be sent.</summary>
    public bool HasPending => Volatile.Read(ref _pending) > 0;

    /// <param name="offset">The acknowledged offset.</param>
    /// <param name="epoch">Epoch in which it was delivered; null when that is not known: then it counts as of now.</param>
    public AckStep Add(long offset, uint? epoch) =>
        epoch is { } known && TryExtend(offset, known, out AckStep step) ? step : Add(offset, offset + 1, epoch);

    /// <summary>The same for the offsets from <paramref name="from"/> up to but not including <paramref name="to"/>.</summary>
    public AckStep Add(long from, long to, uint? epoch)
    {
        lock (_gate)
        {
            if (epoch < _oldestEpoch)
            {
                return SettleLate(from, to, epoch.Value);
            }

            // Before the range can be seen: who lengthens it past the lock may send right behind that, and must find it pending.
            Volatile.Write(ref _pending, _pending + 1);
            if (!TryExtendLocked(from, to))
            {
                // Most likely the one just below: other consumers' work or a nack in between leave gaps, not disorder.
                CloseRange();
                OpenRange(from, to);
            }

            return _pending == 1 ? AckStep.Started : _pending >= DueRecords || _rangeCount >= DueRanges ? AckStep.Due : AckStep.None;
        }
    }

    /// <summary>
    /// The same for what was delivered on a session in an epoch; nothing happens when either is over. Before the next opening too: what is
    /// collected then counts as settled in it.
    /// </summary>
    public AckStep Add(long from, long to, ConsumerSession deliveredOn, uint epoch)
    {
        lock (_gate)
        {
            return deliveredOn == _session && deliveredOn.IsCurrent(epoch) ? Add(from, to, epoch) : AckStep.None;
        }
    }

    /// <summary>Everything up to and including <paramref name="offset"/>.</summary>
    public AckStep AddCumulative(long offset)
    {
        lock (_gate)
        {
            _cumulative = Math.Max(_cumulative, offset + 1);
            _pending++;
            return _pending == 1 ? AckStep.Started : _pending >= DueRecords ? AckStep.Due : AckStep.None;
        }
    }

    /// <summary>True when a message delivered in <paramref name="epoch"/> can still be given back.</summary>
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
            if (_pending == 0 || session.Epoch != _epoch || session.IsOver)
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
                    _sent[(int)(_sentCount++ % _sent.Length)] = _ranges[sent];
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

    private void Push(long from, long to)
    {
        if (_rangeCount == _ranges.Length)
        {
            Array.Resize(ref _ranges, _rangeCount * 2);
        }

        _ranges[_rangeCount++] = (from, to);
    }

    private void Clear()
    {
        DropRange();
        _rangeCount = 0;
        _cumulative = 0;
        _pending = 0;
    }
}
