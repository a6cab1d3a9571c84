using Danube.Fast.LoadTests.Engine;

namespace Danube.Fast.LoadTests.Tests;

public sealed class ArrivalCurveTests
{
    [Theory]
    [InlineData(10, 10, 3, 30)]
    [InlineData(0, 100, 10, 500)]
    [InlineData(100, 0, 10, 500)]
    [InlineData(20, 60, 5, 200)]
    [InlineData(0, 0, 5, 0)]
    [InlineData(0.5, 0.5, 4, 2)]
    public void The_number_of_arrivals_is_the_area_under_the_rate(double from, double to, double seconds, long total) =>
        Assert.Equal(total, new ArrivalCurve(from, to, TimeSpan.FromSeconds(seconds)).Total);

    [Theory]
    [InlineData(10, 10, 3)]
    [InlineData(0, 100, 10)]
    [InlineData(100, 0, 10)]
    [InlineData(123.4, 7.7, 9)]
    public void Every_arrival_is_due_at_its_time_and_not_before(double from, double to, double seconds)
    {
        var curve = new ArrivalCurve(from, to, TimeSpan.FromSeconds(seconds));
        TimeSpan before = TimeSpan.FromTicks(-1);
        for (long n = 0; n < curve.Total; n++)
        {
            TimeSpan time = curve.TimeOf(n);
            Assert.True(time > before, $"{n} comes at {time}, the one before at {before}");
            Assert.InRange(time, TimeSpan.Zero, TimeSpan.FromSeconds(seconds));
            Assert.True(curve.DueBy(time + TimeSpan.FromMicroseconds(5)) > n);
            Assert.True(curve.DueBy(time - TimeSpan.FromMicroseconds(5)) <= n);
            before = time;
        }

        Assert.Equal(curve.Total, curve.DueBy(TimeSpan.FromSeconds(seconds)));
        Assert.Equal(curve.Total, curve.DueBy(TimeSpan.FromSeconds(seconds * 10)));
    }
}
