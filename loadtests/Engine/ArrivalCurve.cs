namespace Danube.Fast.LoadTests.Engine;

/// <summary>
/// When the iterations of an open model are due: the rate goes in a straight line from one value to another. The time of an iteration follows from
/// its number alone, so a late injector owes nothing and forgets nothing.
/// </summary>
public readonly struct ArrivalCurve
{
    private readonly double _from, _slope;

    /// <param name="fromPerSecond">Rate at the beginning.</param>
    /// <param name="toPerSecond">Rate at the end.</param>
    /// <param name="during">How long it takes.</param>
    public ArrivalCurve(double fromPerSecond, double toPerSecond, TimeSpan during)
    {
        double seconds = during.TotalSeconds;
        _from = fromPerSecond;
        _slope = seconds > 0 ? (toPerSecond - fromPerSecond) / seconds : 0;
        Total = (long)Math.Round((fromPerSecond + toPerSecond) / 2 * seconds);
    }

    /// <summary>Iterations in all.</summary>
    public long Total { get; }

    /// <summary>How many are due when so much time is over: those whose time is not later.</summary>
    public long DueBy(TimeSpan elapsed)
    {
        if (elapsed < TimeSpan.Zero)
        {
            return 0;
        }

        // TimeOf is cut to a whole tick: what it names must be due by then.
        double t = elapsed.TotalSeconds + 1e-6;

        // A falling rate reaches its vertex at the end at the earliest.
        double vertex = _slope < 0 ? -_from / _slope : double.PositiveInfinity;
        t = Math.Min(t, vertex);
        double arrived = (_from * t) + (_slope * t * t / 2);

        // The first is due at once.
        return Math.Min(Total, (long)Math.Floor(arrived) + 1);
    }

    /// <summary>When iteration <paramref name="number"/> (from 0) is due, from the beginning.</summary>
    public TimeSpan TimeOf(long number)
    {
        if (Math.Abs(_slope) < 1e-12)
        {
            return _from > 0 ? TimeSpan.FromSeconds(number / _from) : TimeSpan.Zero;
        }

        double root = Math.Sqrt(Math.Max(0, (_from * _from) + (2 * _slope * number)));
        return TimeSpan.FromSeconds((root - _from) / _slope);
    }
}
