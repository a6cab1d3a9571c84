using Danube.Fast.LoadTests.Engine;

namespace Danube.Fast.LoadTests.Reports.Charts;

/// <summary>Timelines with as many points as a chart can show: of several seconds the rate is the mean, the latency the worst.</summary>
public static class Timelines
{
    public const int MaxPoints = 240;

    public static IReadOnlyList<TimelinePoint> Thin(IReadOnlyList<TimelinePoint> points, int most = MaxPoints)
    {
        int group = (points.Count + most - 1) / most;
        return group <= 1 ? points : [.. points.Chunk(group).Select(Join)];
    }

    private static TimelinePoint Join(TimelinePoint[] group) => new(
        group[^1].Seconds, group.Sum(p => p.Length), group.Sum(p => p.Ok), group.Sum(p => p.Fail), group.Sum(p => p.Bytes),
        group.Max(p => p.P50), group.Max(p => p.P95), group.Max(p => p.P99), group.Max(p => p.Max));
}
