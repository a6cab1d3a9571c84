namespace Danube.Fast.LoadManager.Tests;

/// <summary>The mistakes of the documents' sketch, each with the case that shows it.</summary>
public sealed class MistakeTests
{
    [Fact]
    public void A_disk_without_traffic_is_a_measured_zero_however_full_it_is()
    {
        using SystemTree tree = SystemTree.Of("native");
        IResourceMonitor monitor = tree.Monitor();
        monitor.Collect();
        tree.Clock.Advance(10);
        Assert.Equal(new DiskIoStats(0, 0), monitor.Collect().DiskIo);
    }

    [Theory]
    [InlineData("native")]
    [InlineData("docker-v2")]
    [InlineData("docker-v1")]
    [InlineData("v1-unlimited")]
    public void A_first_reading_has_no_rates(string layout)
    {
        using SystemTree tree = SystemTree.Of(layout);
        ResourceUsage first = tree.Monitor().Collect();
        Assert.Null(first.CpuPercent);
        Assert.Null(first.DiskIo);
        Assert.Null(first.NetworkIo);
        Assert.NotNull(first.MemoryPercent);
    }

    [Fact]
    public void Totals_are_not_rates()
    {
        using SystemTree tree = SystemTree.Of("docker-v2");
        IResourceMonitor monitor = tree.Monitor();
        monitor.Collect();
        tree.Clock.Advance(10);
        ResourceUsage idle = monitor.Collect();
        Assert.Equal(0, idle.CpuPercent);
        Assert.Equal(new DiskIoStats(0, 0), idle.DiskIo);
        Assert.Equal(new NetworkIoStats(0, 0), idle.NetworkIo);
    }

    [Fact]
    public void Each_resource_has_its_own_earlier_reading()
    {
        using SystemTree tree = SystemTree.Of("native");
        IResourceMonitor monitor = tree.Monitor();
        monitor.Collect();
        tree.Clock.Advance(10);
        string disk = File.ReadAllText(Path.Combine(tree.Root, "proc/diskstats"));
        tree.Delete("proc/diskstats");
        Assert.Null(monitor.Collect().DiskIo);
        tree.Clock.Advance(10);
        tree.Write("proc/diskstats", disk.Replace("nvme0n1p1 80 5 16000", "nvme0n1p1 80 5 18000", StringComparison.Ordinal));
        tree.Replace("proc/self/net/dev", "eth0: 1000000", "eth0: 1100000");
        ResourceUsage usage = monitor.Collect();
        // The disk's reading is 20 s after its last, the network's 10 s.
        Assert.Equal(2000 * 512 / 20.0, usage.DiskIo!.Value.ReadBytesPerSecond);
        Assert.Equal(10_000, usage.NetworkIo!.Value.ReceivedBytesPerSecond);
    }

    [Fact]
    public void Two_readings_at_one_moment_do_not_spoil_the_next_rate()
    {
        using SystemTree tree = SystemTree.Of("docker-v2");
        IResourceMonitor monitor = tree.Monitor();
        monitor.Collect();
        monitor.Collect();
        tree.Clock.Advance(10);
        tree.Replace("sys/fs/cgroup/cpu.stat", "usage_usec 5000000", "usage_usec 10000000");
        Assert.Equal(25, monitor.Collect().CpuPercent!.Value, 0.01);
    }

    [Fact]
    public void Loopback_is_not_the_network()
    {
        using SystemTree tree = SystemTree.Of("native");
        IResourceMonitor monitor = tree.Monitor();
        monitor.Collect();
        tree.Clock.Advance(1);
        tree.Replace("proc/self/net/dev", "lo: 9000000", "lo: 99000000");
        tree.Replace("proc/self/net/dev", "wlan0: 7000000", "wlan0: 97000000");
        Assert.Equal(new NetworkIoStats(0, 0), monitor.Collect().NetworkIo);
    }

    [Fact]
    public void A_bond_is_counted_once()
    {
        using SystemTree tree = SystemTree.Of("native");
        tree.Write("sys/class/net/bond0/flags", "0x1003\n");
        Directory.CreateDirectory(Path.Combine(tree.Root, "sys/class/net/eth0"));
        File.CreateSymbolicLink(Path.Combine(tree.Root, "sys/class/net/eth0/master"), "../bond0");
        string net = Path.Combine(tree.Root, "proc/self/net/dev");
        File.AppendAllText(net, "bond0: 1000000 1 0 0 0 0 0 0 500000 1 0 0 0 0 0 0\n");
        IResourceMonitor monitor = tree.Monitor();
        monitor.Collect();
        tree.Clock.Advance(1);
        tree.Replace("proc/self/net/dev", "eth0: 1000000", "eth0: 1001000");
        tree.Replace("proc/self/net/dev", "bond0: 1000000", "bond0: 1001000");
        Assert.Equal(1000, monitor.Collect().NetworkIo!.Value.ReceivedBytesPerSecond);
    }

    [Fact]
    public void An_interface_that_appears_is_not_traffic()
    {
        using SystemTree tree = SystemTree.Of("native");
        IResourceMonitor monitor = tree.Monitor();
        monitor.Collect();
        tree.Clock.Advance(1);
        tree.Write("sys/class/net/eth1/flags", "0x1003\n");
        File.AppendAllText(Path.Combine(tree.Root, "proc/self/net/dev"), "eth1: 888888888 1 0 0 0 0 0 0 777777777 1 0 0 0 0 0 0\n");
        Assert.Equal(new NetworkIoStats(0, 0), monitor.Collect().NetworkIo);
    }

    [Theory]
    [InlineData("proc/stat", ResourceType.Cpu)]
    [InlineData("proc/meminfo", ResourceType.Memory)]
    [InlineData("proc/diskstats", ResourceType.DiskIo)]
    [InlineData("proc/self/net/dev", ResourceType.NetworkIo)]
    public void What_cannot_be_read_is_absent_and_counted_and_never_zero(string path, ResourceType resource)
    {
        using SystemTree tree = SystemTree.Of("native");
        IResourceMonitor monitor = tree.Monitor();
        monitor.Collect();
        tree.Clock.Advance(1);
        tree.Replace("proc/stat", "cpu  1000 0 500 8000", "cpu  1000 0 500 8100");
        tree.Delete(path);
        ResourceUsage usage = monitor.Collect();
        Assert.Null(usage.Of(resource));
        Assert.Equal(1, tree.Figures.Errors(resource));
        Assert.All(ResourceNames.All.Where(r => r != resource), r => Assert.NotNull(usage.Of(r)));
        Assert.Equal(2, tree.Figures.LatencyMs.Count);
        Assert.Empty(monitor.Unsupported);
    }

    [Theory]
    [InlineData("proc/stat", "no such line\n", ResourceType.Cpu)]
    [InlineData("proc/meminfo", "MemFree: 5 kB\n", ResourceType.Memory)]
    [InlineData("proc/diskstats", " 8 0 sda 1 2 3 4 5 6 7\n", ResourceType.DiskIo)]
    public void What_makes_no_sense_is_absent(string path, string text, ResourceType resource)
    {
        using SystemTree tree = SystemTree.Of("native");
        IResourceMonitor monitor = tree.Monitor();
        monitor.Collect();
        tree.Clock.Advance(1);
        tree.Write(path, text);
        Assert.Null(monitor.Collect().Of(resource));
        Assert.Equal(1, tree.Figures.Errors(resource));
    }

    [Fact]
    public void A_counter_that_goes_back_has_no_rate_once()
    {
        using SystemTree tree = SystemTree.Of("docker-v2");
        IResourceMonitor monitor = tree.Monitor();
        monitor.Collect();
        tree.Clock.Advance(10);
        tree.Replace("sys/fs/cgroup/cpu.stat", "usage_usec 5000000", "usage_usec 1000");
        tree.Replace("proc/self/net/dev", "eth0: 1000000", "eth0: 5");
        ResourceUsage reset = monitor.Collect();
        Assert.Null(reset.CpuPercent);
        Assert.Null(reset.NetworkIo);
        tree.Clock.Advance(10);
        tree.Replace("sys/fs/cgroup/cpu.stat", "usage_usec 1000", "usage_usec 5001000");
        Assert.Equal(25, monitor.Collect().CpuPercent!.Value, 0.01);
    }

    [Fact]
    public void The_page_cache_is_no_memory_in_use()
    {
        using SystemTree tree = SystemTree.Of("docker-v2");
        IResourceMonitor monitor = tree.Monitor();
        double? before = monitor.Collect().MemoryPercent;
        // Reading files fills the cache up to the limit; nothing else changes.
        tree.Write("sys/fs/cgroup/memory.current", "2000000000\n");
        tree.Replace("sys/fs/cgroup/memory.stat", "file 1200000000", "file 1700000000");
        Assert.Equal(before, monitor.Collect().MemoryPercent);
    }

    [Fact]
    public void Use_above_a_quota_is_full_and_not_more()
    {
        using SystemTree tree = SystemTree.Of("docker-v2");
        IResourceMonitor monitor = tree.Monitor();
        monitor.Collect();
        tree.Clock.Advance(1);
        tree.Replace("sys/fs/cgroup/cpu.stat", "usage_usec 5000000", "usage_usec 8000000");
        Assert.Equal(100, monitor.Collect().CpuPercent);
    }
}
