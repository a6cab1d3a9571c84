namespace Danube.Fast.LoadTests.Reports.Charts;

/// <summary>From values to positions between 0 and 1, with ticks at round values.</summary>
public sealed class Axis
{
    private readonly bool _isLog;
    private readonly double _low, _high;

    private Axis(bool isLog, double low, double high, double[] ticks)
    {
        _isLog = isLog;
        _low = low;
        _high = high;
        Ticks = ticks;
    }

    public IReadOnlyList<double> Ticks { get; }

    /// <summary>From 0 (or <paramref name="low"/>) to a round value at or above <paramref name="high"/>.</summary>
    public static Axis Linear(double high, double low = 0, bool isRound = true)
    {
        high = high > low ? high : low + 1;
        double step = NiceStep((high - low) / 5);
        double top = isRound ? Math.Ceiling((high / step) - 1e-9) * step : high;
        return new Axis(false, low, top, [.. Enumerable.Range(0, 50).Select(i => (Math.Ceiling(low / step) + i) * step).TakeWhile(t => t <= top * (1 + 1e-9))]);
    }

    /// <summary>From 0 to <paramref name="high"/> with a tick at every whole number.</summary>
    public static Axis Whole(double high) => new(false, 0, Math.Max(1, high), [.. Enumerable.Range(0, (int)Math.Floor(high) + 1).Select(i => (double)i)]);

    /// <summary>Powers of ten around positive values; steps of 1, 2, 5 where the range is short.</summary>
    public static Axis Log(double low, double high)
    {
        low = Math.Max(low, 1e-4);
        high = Math.Max(high, low);
        double[] steps = Math.Log10(high / low) > 2.5 ? [1, 10] : [1, 2, 5, 10];
        double bottom = Last(steps, low), top = First(steps, Math.Max(high, bottom * 1.01));
        var ticks = new List<double>();
        for (double decade = Math.Pow(10, Math.Floor(Math.Log10(bottom))); decade <= top * 1.001; decade *= 10)
        {
            ticks.AddRange(steps.SkipLast(1).Select(s => s * decade).Where(t => t >= bottom * 0.999 && t <= top * 1.001));
        }

        return new Axis(true, bottom, top, [.. ticks]);
    }

    /// <summary>0 at the low end, 1 at the high end.</summary>
    public double Position(double value) => Math.Clamp(
        _isLog ? Math.Log(Math.Max(value, _low) / _low) / Math.Log(_high / _low) : (value - _low) / (_high - _low), 0, 1);

    private static double Last(double[] steps, double value)
    {
        double decade = Math.Pow(10, Math.Floor(Math.Log10(value) + 1e-9));
        return steps.Last(s => s * decade <= value * (1 + 1e-9)) * decade;
    }

    private static double First(double[] steps, double value)
    {
        double decade = Math.Pow(10, Math.Floor(Math.Log10(value) + 1e-9));
        return steps.First(s => s * decade >= value * (1 - 1e-9)) * decade;
    }

    private static double NiceStep(double rough)
    {
        double decade = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        double factor = rough / decade;
        return (factor <= 1 ? 1 : factor <= 2 ? 2 : factor <= 5 ? 5 : 10) * decade;
    }
}
