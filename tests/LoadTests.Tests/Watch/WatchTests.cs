using Danube.Fast.LoadTests.Watch;

namespace Danube.Fast.LoadTests.Tests;

public sealed class WatchTests
{
    [Fact]
    public void The_slope_is_that_of_the_line_through_the_last_two_thirds()
    {
        // It grows to 300 MB in the first third, then by 36 MB per hour, with a saw on top.
        BrokerSample[] samples = [.. Enumerable.Range(0, 3_000).Select(i => Sample(i, (i < 1_000 ? 100 + (i * 0.2) : 300 + ((i - 1_000) * 0.01)) + (i % 10)))];
        MemoryTrend trend = MemoryTrend.Of(samples)!;
        Assert.Equal(36, trend.MegabytesPerHour, 0.5);
        Assert.InRange(trend.FirstMegabytes, 190, 220);
        Assert.InRange(trend.LastMegabytes, 310, 330);
        Assert.Null(MemoryTrend.Of(samples[..5]));
        Assert.Equal(0, MemoryTrend.Slope([(1, 5), (1, 9)]));
    }

    [Fact]
    public void The_limit_of_open_files_is_read_and_a_low_one_says_what_to_do()
    {
        string[] lines = ["Limit                     Soft Limit           Hard Limit           Units     ", "Max open files            1024                 524288               files     "];
        Assert.Equal(1_024, FileLimit.Parse(lines));
        Assert.Null(FileLimit.Parse(["Max open files            unlimited            unlimited            files     "]));
        Assert.Null(FileLimit.Parse([]));
        Assert.Null(FileLimit.Complaint(20_000, 5_000));
        Assert.Null(FileLimit.Complaint(null, 5_000));
        string complaint = FileLimit.Complaint(1_024, 5_000)!;
        Assert.Contains("5,200", complaint, StringComparison.Ordinal);
        Assert.Contains("ulimit -n 5200", complaint, StringComparison.Ordinal);
        Assert.Contains("--connections", complaint, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_broker_that_cannot_be_seen_leaves_no_samples()
    {
        var nothing = new BrokerWatch(null, null);
        await nothing.SampleAsync(1);
        var gone = new BrokerWatch(null, "127.0.0.1:1");
        await gone.SampleAsync(1);
        Assert.Empty(nothing.Samples);
        Assert.Empty(gone.Samples);
        Assert.False(nothing.IsAvailable);
    }

    private static BrokerSample Sample(double seconds, double megabytes) => new(seconds, (long)(megabytes * 3e6), (long)(megabytes * 1e6), 0, null, null);
}
