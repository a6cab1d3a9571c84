namespace Danube.Fast.LoadManager.Tests;

/// <summary>Every layout of control groups, from trees of files; the figures are worked out by hand.</summary>
public sealed class LayoutTests
{
    private const double Precision = 0.01;

    [Fact]
    public void A_machine_without_containers_is_read_from_proc()
    {
        using SystemTree tree = SystemTree.Of("native");
        IResourceMonitor monitor = tree.Monitor();
        Assert.StartsWith("native Linux", monitor.Description, StringComparison.Ordinal);
        monitor.Collect();
        tree.Clock.Advance(10);
        // 100 ticks of work in 400; the device under the data folder is 259:1; only eth0 is up.
        tree.Replace("proc/stat", "cpu  1000 0 500 8000 400", "cpu  1100 0 500 8250 450");
        tree.Replace("proc/diskstats", "nvme0n1p1 80 5 16000 30 150 6 30000", "nvme0n1p1 90 5 18000 30 180 6 34000");
        tree.Replace("proc/diskstats", "sda 1000 0 900000", "sda 1000 0 990000");
        tree.Replace("proc/self/net/dev", "eth0: 1000000", "eth0: 1500000");
        tree.Replace("proc/self/net/dev", "500000     800", "700000     900");

        ResourceUsage usage = monitor.Collect();
        Assert.Equal(25, usage.CpuPercent!.Value, Precision);
        Assert.Equal(25, usage.MemoryPercent!.Value, Precision);
        Assert.Equal(new DiskIoStats(102_400, 204_800), usage.DiskIo);
        Assert.Equal(new NetworkIoStats(50_000, 20_000), usage.NetworkIo);
        ResourceCapacity capacity = monitor.ReadCapacity();
        Assert.Equal(4, capacity.Cores);
        Assert.Equal(8_192_000_000, capacity.MemoryBytes);
        Assert.Equal(250_000_000, capacity.NetworkBytesPerSecond);
    }

    [Fact]
    public void Docker_with_version_2_and_limits()
    {
        using SystemTree tree = SystemTree.Of("docker-v2");
        IResourceMonitor monitor = tree.Monitor();
        Assert.StartsWith("container on Linux (/.dockerenv exists)", monitor.Description, StringComparison.Ordinal);
        monitor.Collect();
        tree.Clock.Advance(10);
        tree.Replace("sys/fs/cgroup/cpu.stat", "usage_usec 5000000", "usage_usec 10000000");
        tree.Replace("sys/fs/cgroup/io.stat", "rbytes=1000000 wbytes=2000000", "rbytes=1100000 wbytes=2400000");
        tree.Replace("sys/fs/cgroup/io.stat", "rbytes=777", "rbytes=999999777");

        ResourceUsage usage = monitor.Collect();
        Assert.Equal(25, usage.CpuPercent!.Value, Precision);
        Assert.Equal(25, usage.MemoryPercent!.Value, Precision);
        Assert.Equal(new DiskIoStats(10_000, 40_000), usage.DiskIo);
        Assert.Equal(2, monitor.ReadCapacity().Cores);
        Assert.Equal(2_000_000_000, monitor.ReadCapacity().MemoryBytes);
    }

    [Fact]
    public void No_limit_means_the_machine()
    {
        using SystemTree tree = SystemTree.Of("docker-v2-max");
        IResourceMonitor monitor = tree.Monitor();
        Assert.StartsWith("container", monitor.Description, StringComparison.Ordinal);
        monitor.Collect();
        tree.Clock.Advance(10);
        tree.Replace("sys/fs/cgroup/cpu.stat", "usage_usec 5000000", "usage_usec 10000000");
        tree.Replace("proc/self/io", "write_bytes: 8192000", "write_bytes: 8292000");

        ResourceUsage usage = monitor.Collect();
        Assert.Equal(12.5, usage.CpuPercent!.Value, Precision);
        Assert.Equal(100.0 * 500_000_000 / 8_192_000_000, usage.MemoryPercent!.Value, Precision);
        Assert.Equal(new DiskIoStats(0, 10_000), usage.DiskIo);
        Assert.Equal(4, monitor.ReadCapacity().Cores);
        Assert.Equal(8_192_000_000, monitor.ReadCapacity().MemoryBytes);
    }

    [Fact]
    public void Traffic_that_the_control_group_begins_to_account_is_not_compared_with_that_of_the_process()
    {
        using SystemTree tree = SystemTree.Of("docker-v2-max");
        IResourceMonitor monitor = tree.Monitor();
        monitor.Collect();
        tree.Clock.Advance(10);
        tree.Write("sys/fs/cgroup/io.stat", "259:0 rbytes=500000000 wbytes=900000000\n");
        Assert.Null(monitor.Collect().DiskIo);
        tree.Clock.Advance(10);
        tree.Write("sys/fs/cgroup/io.stat", "259:0 rbytes=500000000 wbytes=900001000\n");
        Assert.Equal(new DiskIoStats(0, 100), monitor.Collect().DiskIo);
    }

    [Fact]
    public void In_nested_groups_the_one_nearest_to_its_limit_counts()
    {
        using SystemTree tree = SystemTree.Of("pod-v2-nested");
        IResourceMonitor monitor = tree.Monitor();
        Assert.StartsWith("container on Linux (/var/run/secrets/kubernetes.io exists)", monitor.Description, StringComparison.Ordinal);
        monitor.Collect();
        tree.Clock.Advance(10);
        // The container used 0.3 cores without a limit of its own, its pod 0.6 of the one it may.
        tree.Replace("sys/fs/cgroup/kubepods/pod1/main/cpu.stat", "usage_usec 5000000", "usage_usec 8000000");
        tree.Replace("sys/fs/cgroup/kubepods/pod1/cpu.stat", "usage_usec 9000000", "usage_usec 15000000");

        ResourceUsage usage = monitor.Collect();
        Assert.Equal(60, usage.CpuPercent!.Value, Precision);
        Assert.Equal(80, usage.MemoryPercent!.Value, Precision);
        Assert.Equal(1, monitor.ReadCapacity().Cores);
        Assert.Equal(1_000_000_000, monitor.ReadCapacity().MemoryBytes);
    }

    [Fact]
    public void Podman_with_version_1_and_limits()
    {
        using SystemTree tree = SystemTree.Of("docker-v1");
        IResourceMonitor monitor = tree.Monitor();
        Assert.StartsWith("container on Linux (/run/.containerenv exists)", monitor.Description, StringComparison.Ordinal);
        monitor.Collect();
        tree.Clock.Advance(10);
        tree.Write("sys/fs/cgroup/cpu,cpuacct/cpuacct.usage", "10000000000\n");
        tree.Replace("sys/fs/cgroup/blkio/blkio.throttle.io_service_bytes_recursive", "259:0 Write 2000000", "259:0 Write 2500000");

        ResourceUsage usage = monitor.Collect();
        Assert.Equal(25, usage.CpuPercent!.Value, Precision);
        Assert.Equal(25, usage.MemoryPercent!.Value, Precision);
        Assert.Equal(new DiskIoStats(0, 50_000), usage.DiskIo);
        Assert.Equal(2, monitor.ReadCapacity().Cores);
    }

    [Fact]
    public void Version_1_writes_no_limit_as_a_huge_number()
    {
        using SystemTree tree = SystemTree.Of("v1-unlimited");
        IResourceMonitor monitor = tree.Monitor();
        monitor.Collect();
        tree.Clock.Advance(10);
        tree.Write("sys/fs/cgroup/cpuacct/cpuacct.usage", "10000000000\n");

        ResourceUsage usage = monitor.Collect();
        Assert.Equal(12.5, usage.CpuPercent!.Value, Precision);
        Assert.Equal(100.0 * 500_000_000 / 8_192_000_000, usage.MemoryPercent!.Value, Precision);
        // The kernel accounts no disk here; the process's own counters do not move.
        Assert.Equal(new DiskIoStats(0, 0), usage.DiskIo);
    }

    [Fact]
    public void In_the_hybrid_layout_each_controller_is_read_where_it_is()
    {
        using SystemTree tree = SystemTree.Of("hybrid");
        IResourceMonitor monitor = tree.Monitor();
        Assert.StartsWith("container on Linux (the control group has a limit below the machine)", monitor.Description, StringComparison.Ordinal);
        monitor.Collect();
        tree.Clock.Advance(10);
        tree.Write("sys/fs/cgroup/cpu,cpuacct/svc/cpuacct.usage", "8000000000\n");

        ResourceUsage usage = monitor.Collect();
        Assert.Equal(30, usage.CpuPercent!.Value, Precision);
        Assert.Equal(50, usage.MemoryPercent!.Value, Precision);
    }

    [Fact]
    public void Limits_may_change_while_it_runs()
    {
        using SystemTree tree = SystemTree.Of("docker-v2");
        IResourceMonitor monitor = tree.Monitor();
        monitor.Collect();
        tree.Clock.Advance(10);
        tree.Write("sys/fs/cgroup/cpu.max", "50000 100000\n");
        tree.Write("sys/fs/cgroup/memory.max", "1000000000\n");
        tree.Replace("sys/fs/cgroup/cpu.stat", "usage_usec 5000000", "usage_usec 7500000");
        ResourceUsage usage = monitor.Collect();
        Assert.Equal(50, usage.CpuPercent!.Value, Precision);
        Assert.Equal(50, usage.MemoryPercent!.Value, Precision);
    }

    [Fact]
    public void The_cpuset_limits_the_cores()
    {
        using SystemTree tree = SystemTree.Of("docker-v2-max");
        tree.Replace("proc/self/status", "Cpus_allowed_list:\t0-3", "Cpus_allowed_list:\t0,2");
        Assert.Equal(2, tree.Monitor().ReadCapacity().Cores);
    }

    [Fact]
    public void A_broker_among_others_measures_its_process()
    {
        using SystemTree tree = SystemTree.Of("native");
        var own = new NetworkTotals(1000, 1000);
        IResourceMonitor monitor = tree.Monitor(ResourceScope.Process, () => own);
        monitor.Collect();
        tree.Clock.Advance(10);
        own = new NetworkTotals(6000, 2000);
        // 400 ticks of 10 ms in 10 s of four cores; mapped files are not its memory.
        tree.Replace("proc/self/stat", "300 100 0 0 20", "600 200 0 0 20");
        tree.Replace("proc/self/io", "read_bytes: 4096000", "read_bytes: 4196000");

        ResourceUsage usage = monitor.Collect();
        Assert.Equal(10, usage.CpuPercent!.Value, Precision);
        Assert.Equal(100.0 * 220_000 / 8_000_000, usage.MemoryPercent!.Value, Precision);
        Assert.Equal(new DiskIoStats(10_000, 0), usage.DiskIo);
        Assert.Equal(new NetworkIoStats(500, 100), usage.NetworkIo);
    }

    [Fact]
    public void The_network_of_a_process_is_not_offered_unless_the_broker_counts_it()
    {
        using SystemTree tree = SystemTree.Of("native");
        IResourceMonitor monitor = tree.Monitor(ResourceScope.Process);
        Assert.Equal([ResourceType.NetworkIo], monitor.Unsupported);
        Assert.Null(monitor.Collect().NetworkIo);
        Assert.Equal(0, tree.Figures.Errors(ResourceType.NetworkIo));
    }
}
