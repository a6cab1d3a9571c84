namespace Danube.Fast.LoadTests.Engine;

public sealed partial class ScenarioRunner
{
    /// <summary>The closed model: the number of copies goes in a straight line from one value to the other.</summary>
    private async Task KeepAsync(int from, int to, TimeSpan during, int index, CancellationToken cancellation)
    {
        long started = _time.GetTimestamp();
        var copies = new List<Task>();
        int most = Math.Max(from, to);

        // Copy i runs while more than i copies are wanted: one stretch of time, because the line rises or falls only.
        for (int copy = 0; copy < most; copy++)
        {
            (TimeSpan begin, TimeSpan end) = StretchOf(copy, from, to, during);
            int instance = copy;
            copies.Add(Task.Run(() => CopyAsync(instance, started, begin, end, index, cancellation), cancellation));
        }

        await Task.WhenAll(copies);
        TimeSpan left = during - _time.GetElapsedTime(started);
        if (left > TimeSpan.Zero)
        {
            await Task.Delay(left, _time, cancellation);
        }
    }

    private static (TimeSpan Begin, TimeSpan End) StretchOf(int copy, int from, int to, TimeSpan during)
    {
        if (from == to)
        {
            return (TimeSpan.Zero, during);
        }

        TimeSpan crossing = during * Math.Clamp((double)(copy - Math.Min(from, to)) / Math.Abs(to - from), 0, 1);
        return to > from ? (crossing, during) : (TimeSpan.Zero, during - crossing);
    }

    private async Task CopyAsync(int instance, long started, TimeSpan begin, TimeSpan end, int index, CancellationToken cancellation)
    {
        TimeSpan wait = begin - _time.GetElapsedTime(started);
        if (wait > TimeSpan.Zero)
        {
            await Task.Delay(wait, _time, cancellation);
        }

        var context = new ScenarioContext(_recorder, cancellation) { InstanceNumber = instance, SimulationIndex = index };
        while (_time.GetElapsedTime(started) < end)
        {
            cancellation.ThrowIfCancellationRequested();
            context.IntendedTimestamp = _time.GetTimestamp();
            await IterateAsync(context);
        }
    }
}
