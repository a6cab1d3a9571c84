namespace Danube.Fast.LoadManager;

/// <summary>
/// Turns readings of a growing counter into a rate. Each counter has its own earlier reading with its own time: rates of resources that are
/// read at different moments do not mix. There is no rate without an earlier reading, nor across a counter that went back.
/// </summary>
internal struct CounterRate
{
    private ulong _value;
    private long _at;
    private bool _hasEarlier;

    /// <summary>Growth per second since the previous reading; null when there is nothing to compare with.</summary>
    public double? Next(ulong value, long timestamp, TimeProvider clock)
    {
        bool isComparable = _hasEarlier && value >= _value;
        double seconds = _hasEarlier ? clock.GetElapsedTime(_at, timestamp).TotalSeconds : 0;
        if (_hasEarlier && isComparable && seconds <= 0)
        {
            // The same moment twice: keep the earlier reading, so that the next rate is not of an empty time.
            return null;
        }

        double? rate = isComparable ? (value - _value) / seconds : null;
        _value = value;
        _at = timestamp;
        _hasEarlier = true;
        return rate;
    }

    /// <summary>Forgets the earlier reading: the next one comes from another source.</summary>
    public void Forget() => _hasEarlier = false;
}
