using Danube.Fast.LoadTests.Engine;
using Danube.Fast.LoadTests.Reports.Charts;

namespace Danube.Fast.LoadTests.Tests;

public sealed class ChartTests
{
    [Theory]
    [InlineData(0.03)]
    [InlineData(1)]
    [InlineData(9_950)]
    [InlineData(1.2e7)]
    public void A_linear_axis_ends_at_a_round_value_above_the_highest(double high)
    {
        Axis axis = Axis.Linear(high);
        Assert.InRange(axis.Ticks.Count, 3, 8);
        Assert.Equal(0, axis.Ticks[0]);
        Assert.True(axis.Ticks[^1] >= high && axis.Ticks[^1] <= high * 2);
        Assert.Equal((0, 1), (axis.Position(0), axis.Position(axis.Ticks[^1])));
    }

    [Theory]
    [InlineData(0.2, 0.9)]
    [InlineData(0.05, 1_500)]
    [InlineData(3, 3)]
    [InlineData(0, 0)]
    public void A_logarithmic_axis_has_ticks_around_all_values(double low, double high)
    {
        Axis axis = Axis.Log(low, high);
        Assert.InRange(axis.Ticks.Count, 1, 9);
        Assert.InRange(axis.Position(low), 0, 0.5);
        Assert.InRange(axis.Position(high), 0, 1);
        Assert.True(axis.Position(Math.Max(high, 1e-3) * 1e6) == 1);
    }

    [Fact]
    public void Long_timelines_keep_their_sums_and_their_worst_moments()
    {
        TimelinePoint[] points = [.. Enumerable.Range(1, 10_000).Select(i => new TimelinePoint(i, 1, 7, i == 5_000 ? 1 : 0, 70, 1, 2, 3, i == 777 ? 99 : 4))];
        IReadOnlyList<TimelinePoint> thin = Timelines.Thin(points);
        Assert.InRange(thin.Count, 100, Timelines.MaxPoints);
        Assert.Equal((70_000, 1, 10_000.0), (thin.Sum(p => p.Ok), thin.Sum(p => p.Fail), thin.Sum(p => p.Length)));
        Assert.Equal(99, thin.Max(p => p.Max));
        Assert.Equal(10_000, thin[^1].Seconds);
        Assert.Same(points, Timelines.Thin(points, 10_000));
    }
}
