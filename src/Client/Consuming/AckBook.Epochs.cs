namespace Danube.Fast.Client;

/// <summary>What becomes of acknowledgements when the epoch changes.</summary>
internal sealed partial class AckBook
{
    private readonly OffsetRanges _settled = new();
    private uint _oldestSettledEpoch;
    private long _settledEnd;

    /// <summary>First offset above everything that was acknowledged in a former epoch; 0 most of the time.</summary>
    public long SettledEnd => Volatile.Read(ref _settledEnd);

    /// <summary>True when the application has acknowledged this offset in a former epoch and need not see it again.</summary>
    public bool IsSettled(long offset)
    {
        lock (_gate)
        {
            return _settled.Contains(offset);
        }
    }

    /// <summary>The channel was opened (again) or the position was moved.</summary>
    /// <param name="session">The present session.</param>
    /// <param name="epoch">The present epoch.</param>
    /// <param name="keep">True for an opening: then the same epoch, or the next one (which is our own return), means that nobody has moved the position.</param>
    public void Begin(ConsumerSession session, uint epoch, bool keep)
    {
        lock (_gate)
        {
            if (keep && epoch == _epoch)
            {
                Recall();
            }
            else if (keep && epoch == _epoch + 1)
            {
                Settle();
                _oldestEpoch = epoch;
            }
            else
            {
                Clear();
                _settled.Clear();
                _oldestEpoch = _oldestSettledEpoch = epoch;
            }

            Volatile.Write(ref _settledEnd, _settled.End);
            _sentCount = 0;
            _epoch = epoch;
            _session = session;
        }
    }

    /// <summary>Makes the latest sent ranges pending again.</summary>
    private void Recall()
    {
        CloseRange();
        for (long i = Math.Max(0, _sentCount - _sent.Length); i < _sentCount; i++)
        {
            (long from, long to) = _sent[(int)(i % _sent.Length)];
            Push(from, to);
            _pending++;
        }
    }

    /// <summary>Takes what was not sent, and what was sent lately, as settled.</summary>
    private void Settle()
    {
        Recall();
        CloseRange();
        for (int i = 0; i < _rangeCount; i++)
        {
            _settled.Add(_ranges[i].From, _ranges[i].To);
        }

        if (_cumulative > 0)
        {
            _settled.Add(0, _cumulative);
        }

        Clear();
    }

    /// <summary>An acknowledgement of a message that was taken before we returned: settled too. Of before a seek: worthless.</summary>
    private AckStep SettleLate(long from, long to, uint epoch)
    {
        if (epoch >= _oldestSettledEpoch)
        {
            _settled.Add(from, to);
            Volatile.Write(ref _settledEnd, _settled.End);
        }

        return AckStep.None;
    }
}
