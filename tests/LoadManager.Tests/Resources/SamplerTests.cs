namespace Danube.Fast.LoadManager.Tests;

/// <summary>The sampler reads for everybody; windows are means that do not disturb each other.</summary>
public sealed class SamplerTests
{
    private readonly ManualClock _clock = new();
    private readonly ScriptedMonitor _monitor = new();

    [Fact]
    public void A_window_is_the_mean_over_time_since_the_readers_own_last_question()
    {
        using var sampler = new ResourceSampler(_monitor, TimeSpan.FromSeconds(2), _clock);
        ResourceWindow report = sampler.OpenWindow(), page = sampler.OpenWindow();
        Sample(sampler, 2, 10);
        Sample(sampler, 2, 40);
        Assert.Equal(25, page.Close().CpuPercent);
        Sample(sampler, 4, 70);
        Assert.Equal(70, page.Close().CpuPercent);
        Assert.Equal((10 * 2 + 40 * 2 + 70 * 4) / 8.0, report.Peek().CpuPercent!.Value, 9);
        Assert.Equal((10 * 2 + 40 * 2 + 70 * 4) / 8.0, report.Close().CpuPercent!.Value, 9);
        Assert.Null(report.Close().CpuPercent);
        Assert.Equal(70, sampler.Latest.CpuPercent);
    }

    [Fact]
    public void Time_without_a_reading_does_not_count_as_zero()
    {
        using var sampler = new ResourceSampler(_monitor, TimeSpan.FromSeconds(2), _clock);
        ResourceWindow window = sampler.OpenWindow();
        Sample(sampler, 2, 50);
        Sample(sampler, 20, null);
        Assert.Equal(50, window.Close().CpuPercent);
        Sample(sampler, 2, null);
        Assert.Null(window.Close().CpuPercent);
    }

    [Fact]
    public void The_thread_reads_by_itself_and_ends()
    {
        using var seen = new CountdownEvent(3);
        _monitor.OnCollect = () => seen.Signal(Math.Min(1, seen.CurrentCount));
        using (var sampler = new ResourceSampler(_monitor, TimeSpan.FromSeconds(1), TimeProvider.System))
        {
            sampler.Start();
            Assert.True(seen.Wait(TimeSpan.FromSeconds(60)));
        }
    }

    [Theory]
    [InlineData(0.5)]
    [InlineData(6)]
    public void Readings_are_one_to_five_seconds_apart(double seconds)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new ResourceSampler(_monitor, TimeSpan.FromSeconds(seconds), _clock));
    }

    private void Sample(ResourceSampler sampler, double seconds, double? cpu)
    {
        _clock.Advance(seconds);
        _monitor.Usage = new ResourceUsage { CpuPercent = cpu };
        sampler.Sample();
    }
}
