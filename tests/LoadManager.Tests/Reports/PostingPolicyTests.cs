namespace Danube.Fast.LoadManager.Tests;

/// <summary>Every 30 s with jitter; at once on a large change, but not within 5 s.</summary>
public sealed class PostingPolicyTests
{
    private static readonly ResourceCapacity Capacity = new() { NetworkBytesPerSecond = 1_000_000, ThroughputMbps = 100 };
    private static readonly ResourceUsage Calm = new() { CpuPercent = 20, MemoryPercent = 30, DiskIo = new DiskIoStats(0, 1000), NetworkIo = new NetworkIoStats(1000, 1000) };

    private readonly ManualClock _clock = new();

    [Fact]
    public void The_first_is_due_at_once() => Assert.True(Policy(1).IsDue(Calm, 0, Capacity));

    [Fact]
    public void The_interval_has_jitter_and_keeps_its_mean()
    {
        PostingPolicy policy = Policy(2);
        var gaps = new List<int>();
        for (int round = 0; round < 200; round++)
        {
            policy.Posted(Calm, 0, Capacity);
            int seconds = 0;
            while (!policy.IsDue(Calm, 0, Capacity))
            {
                _clock.Advance(1);
                seconds++;
            }

            gaps.Add(seconds);
        }

        Assert.InRange(gaps.Min(), 27, 29);
        Assert.InRange(gaps.Max(), 31, 34);
        Assert.InRange(gaps.Average(), 29, 32);
    }

    [Theory]
    [InlineData(30.1, 30, 1000, 0, true)]
    [InlineData(29.9, 30, 1000, 0, false)]
    [InlineData(9.9, 30, 1000, 0, true)]
    [InlineData(20, 41, 1000, 0, true)]
    [InlineData(20, 30, 200_000, 0, true)]
    [InlineData(20, 30, 1000, 10.5, true)]
    [InlineData(20, 30, 1000, 9.5, false)]
    public void A_change_of_ten_points_is_posted_after_five_seconds(double cpu, double memory, double network, double mbps, bool isDue)
    {
        PostingPolicy policy = Policy(3);
        policy.Posted(Calm, 0, Capacity);
        ResourceUsage now = Calm with { CpuPercent = cpu, MemoryPercent = memory, NetworkIo = new NetworkIoStats(network, 1000) };
        _clock.Advance(4.9);
        Assert.False(policy.IsDue(now, mbps, Capacity));
        _clock.Advance(0.1);
        Assert.Equal(isDue, policy.IsDue(now, mbps, Capacity));
    }

    [Fact]
    public void A_reading_that_is_missing_is_no_change()
    {
        PostingPolicy policy = Policy(4);
        policy.Posted(Calm, 0, Capacity);
        _clock.Advance(10);
        Assert.False(policy.IsDue(ResourceUsage.Unknown, 0, ResourceCapacity.Unknown));
    }

    private PostingPolicy Policy(int seed) => new(new LoadManagerOptions(), _clock, new Random(seed));
}
