namespace Danube.Fast.LoadManager.Tests;

/// <summary>A report put together of machine and topics.</summary>
public sealed class LoadReportBuilderTests
{
    private readonly ManualClock _clock = new();
    private readonly ScriptedMonitor _monitor = new() { Capacity = new ResourceCapacity { Cores = 2, FreeDiskBytes = 5 }, Unsupported = [ResourceType.NetworkIo] };
    private readonly List<TopicSample> _samples = [new() { Name = "/a/b" }, new() { Name = "/a/c" }];
    private long _revision = 10;

    [Fact]
    public void It_says_what_was_measured_since_the_one_before()
    {
        using var sampler = new ResourceSampler(_monitor, TimeSpan.FromSeconds(2), _clock);
        var options = new LoadManagerOptions { MaxTopics = 500, Capacity = new CapacityOptions { ThroughputMbps = 1000 } };
        var builder = new LoadReportBuilder(sampler, () => _samples, () => _revision, options, _clock);
        _clock.Advance(30);
        _monitor.Usage = new ResourceUsage { CpuPercent = 20, MemoryPercent = 30, DiskIo = new DiskIoStats(5, 6) };
        sampler.Sample();
        _samples[0] = new TopicSample { Name = "/a/b", MessagesIn = 300, BytesIn = 3_000_000, MessagesOut = 600, BytesOut = 6_000_000, WalBytes = 2_000_000_000, CloudBytes = 500_000_000 };
        _revision = 12;

        LoadReport report = builder.Build(3, 99);
        Assert.Equal((3, 99, 30_000, 2, 10), (report.BrokerId, report.Session, report.WindowMs, report.TopicsLen, report.Topics[0].MessageRate));
        Assert.Equal((0.8, 1.6, 2.5, 2_000_000_000), (report.TotalThroughputMbps, report.TotalOutMbps, report.TotalDiskUsageGb, report.TotalWalBytes));
        Assert.Equal((20, 30, 11, null), (report.GetResourceUsage(ResourceType.Cpu), report.GetResourceUsage(ResourceType.Memory), report.GetResourceUsage(ResourceType.DiskIo), report.GetResourceUsage(ResourceType.NetworkIo)));
        Assert.Equal([ResourceType.NetworkIo], report.Unsupported);
        Assert.Equal((2, 5, 1000, 500), (report.Capacity.Cores, report.Capacity.FreeDiskBytes, report.Capacity.ThroughputMbps, report.Capacity.MaxTopics));
        Assert.Equal(_clock.GetUtcNow().ToUnixTimeSeconds(), report.Timestamp);
    }

    [Fact]
    public void The_revision_is_that_of_the_windows_beginning()
    {
        using var sampler = new ResourceSampler(_monitor, TimeSpan.FromSeconds(2), _clock);
        var builder = new LoadReportBuilder(sampler, () => _samples, () => _revision, new LoadManagerOptions(), _clock);
        _revision = 20;
        Assert.Equal(10, builder.Build(1, 1).AssignmentsRevision);
        _revision = 30;
        Assert.Equal(20, builder.Build(1, 1).AssignmentsRevision);
        Assert.Equal(30, builder.Build(1, 1).AssignmentsRevision);
    }

    [Fact]
    public void Nothing_readable_is_nothing_reported()
    {
        using var sampler = new ResourceSampler(_monitor, TimeSpan.FromSeconds(2), _clock);
        var builder = new LoadReportBuilder(sampler, () => _samples, () => 0, new LoadManagerOptions(), _clock);
        _clock.Advance(2);
        sampler.Sample();
        Assert.Empty(builder.Build(1, 0).ResourcesUsage);
    }
}
