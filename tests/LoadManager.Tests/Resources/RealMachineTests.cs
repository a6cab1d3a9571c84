using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Danube.Fast.Tests;

namespace Danube.Fast.LoadManager.Tests;

/// <summary>
/// The monitors on the machine that runs the tests, against readings by other means while it is busy with something known. Bounds are wide: other
/// work may run beside. What the machine does not allow is said in the output.
/// </summary>
[Collection(nameof(RealMachineTests))]
public sealed class RealMachineTests
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(2);

    [Fact]
    public void Processor_of_the_machine_agrees_with_the_idle_time_of_uptime()
    {
        if (!Linux(nameof(Processor_of_the_machine_agrees_with_the_idle_time_of_uptime)))
        {
            return;
        }

        using SystemRoot root = SystemRoot.OfMachine();
        IResourceMonitor monitor = root.Monitor();
        int cores = (int)monitor.ReadCapacity().Cores!.Value;
        using IDisposable load = RealMachine.Burn(Math.Max(1, cores / 2));
        (double measured, double independent) = Agreeing(15, () =>
        {
            // Both readings are close together at both ends; the rest of the window is the same for both.
            monitor.Collect();
            (double up, double idle) = RealMachine.Uptime();
            Thread.Sleep(Window);
            double measured = monitor.Collect().CpuPercent!.Value;
            (double upThen, double idleThen) = RealMachine.Uptime();
            return (measured, 100 * (1 - ((idleThen - idle) / ((upThen - up) * cores))));
        });
        LongMode.Report(nameof(Processor_of_the_machine_agrees_with_the_idle_time_of_uptime), $"measured {measured:0.0} %, by /proc/uptime {independent:0.0} %");
    }

    [Fact]
    public void Processor_of_the_process_agrees_with_the_runtime()
    {
        if (!Linux(nameof(Processor_of_the_process_agrees_with_the_runtime)))
        {
            return;
        }

        IResourceMonitor monitor = ResourceMonitors.Create(new MonitorEnvironment { Scope = ResourceScope.Process });
        double cores = monitor.ReadCapacity().Cores!.Value;
        using IDisposable load = RealMachine.Burn(1);
        (double measured, double independent) = Agreeing(5, () =>
        {
            long start = Stopwatch.GetTimestamp();
            monitor.Collect();
            TimeSpan used = Environment.CpuUsage.TotalTime;
            Thread.Sleep(Window);
            double measured = monitor.Collect().CpuPercent!.Value;
            return (measured, 100 * (Environment.CpuUsage.TotalTime - used) / (Stopwatch.GetElapsedTime(start) * cores));
        });
        LongMode.Report(nameof(Processor_of_the_process_agrees_with_the_runtime), $"measured {measured:0.0} %, by getrusage {independent:0.0} %");
    }

    [Fact]
    public void Memory_of_the_machine_agrees_with_the_runtime_and_page_cache_does_not_count()
    {
        if (!Linux(nameof(Memory_of_the_machine_agrees_with_the_runtime_and_page_cache_does_not_count)))
        {
            return;
        }

        using SystemRoot root = SystemRoot.OfMachine();
        IResourceMonitor monitor = root.Monitor();

        // Others allocate and free meanwhile.
        (double more, double expected) = Agreeing(3, () =>
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            double before = monitor.Collect().MemoryPercent!.Value;
            byte[] held = GC.AllocateUninitializedArray<byte>(200 * 1024 * 1024);
            Array.Fill(held, (byte)1);
            double after = monitor.Collect().MemoryPercent!.Value;
            GC.KeepAlive(held);
            return (after - before, 100.0 * held.Length / monitor.ReadCapacity().MemoryBytes!.Value);
        });
        LongMode.Report(nameof(Memory_of_the_machine_agrees_with_the_runtime_and_page_cache_does_not_count), $"200 MiB more: {more:0.00} points, expected {expected:0.00}");
    }

    [Fact]
    public void Disk_traffic_of_a_process_is_what_it_wrote()
    {
        if (!Linux(nameof(Disk_traffic_of_a_process_is_what_it_wrote)))
        {
            return;
        }

        const int Megabytes = 32;
        string folder = Directory.CreateTempSubdirectory("danube-lm-").FullName;
        try
        {
            using SystemRoot root = SystemRoot.OfMachine(folder);
            IResourceMonitor machine = root.Monitor();
            IResourceMonitor process = ResourceMonitors.Create(new MonitorEnvironment { Scope = ResourceScope.Process, DataFolder = folder });
            // Each time is taken around the readings, so the products are a little more than was counted, never less.
            long startOfMachine = Stopwatch.GetTimestamp();
            machine.Collect();
            long startOfProcess = Stopwatch.GetTimestamp();
            process.Collect();
            byte[] block = new byte[1024 * 1024];
            Random.Shared.NextBytes(block);
            using (FileStream file = File.Create(Path.Combine(folder, "load")))
            {
                for (int i = 0; i < Megabytes; i++)
                {
                    file.Write(block);
                }

                file.Flush(flushToDisk: true);
            }

            Thread.Sleep(Window);
            double ofMachine = (machine.Collect().DiskIo?.WriteBytesPerSecond ?? double.NaN) * Stopwatch.GetElapsedTime(startOfMachine).TotalSeconds;
            double ofProcess = (process.Collect().DiskIo?.WriteBytesPerSecond ?? double.NaN) * Stopwatch.GetElapsedTime(startOfProcess).TotalSeconds;
            LongMode.Report(nameof(Disk_traffic_of_a_process_is_what_it_wrote), $"{Megabytes} MiB: machine {ofMachine / 1048576:0.0} MiB, process {ofProcess / 1048576:0.0} MiB");
            if (double.IsNaN(ofMachine) || machine.Description.Contains("disk of the process", StringComparison.Ordinal))
            {
                LongMode.Report(nameof(Disk_traffic_of_a_process_is_what_it_wrote), "the temporary folder has no device: not compared");
                return;
            }

            // Others may write as well, and the times of the readings are not exactly those around them.
            Assert.InRange(ofMachine / 1048576, Megabytes * 0.9, double.MaxValue);
            Assert.InRange(ofProcess / 1048576, Megabytes * 0.8, Megabytes * 1.6);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Network_traffic_agrees_with_the_statistics_of_the_interface()
    {
        if (!Linux(nameof(Network_traffic_agrees_with_the_statistics_of_the_interface)))
        {
            return;
        }

        string tag = Environment.ProcessId.ToString(CultureInfo.InvariantCulture), peer = "dlm" + tag, near = "dla" + tag, far = "dlb" + tag;
        bool isReady = RealMachine.IsRoot && RealMachine.Run("ip", "netns", "add", peer) == 0
            && RealMachine.Run("ip", "link", "add", near, "type", "veth", "peer", "name", far, "netns", peer) == 0;
        try
        {
            isReady = isReady && RealMachine.Run("ip", "addr", "add", "10.231.77.1/30", "dev", near) == 0 && RealMachine.Run("ip", "link", "set", near, "up") == 0
                && RealMachine.Run("ip", "netns", "exec", peer, "ip", "addr", "add", "10.231.77.2/30", "dev", far) == 0
                && RealMachine.Run("ip", "netns", "exec", peer, "ip", "link", "set", far, "up") == 0;
            if (!isReady)
            {
                LongMode.Report(nameof(Network_traffic_agrees_with_the_statistics_of_the_interface), "no rights or no ip command for a pair of virtual interfaces: not compared");
                return;
            }

            IResourceMonitor monitor = ResourceMonitors.Create(new MonitorEnvironment());
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            // The first datagrams wait for the neighbour's address, and are lost when that takes long.
            long idle = Statistics(near);
            for (int tries = 0; tries < 600 && Statistics(near) < idle + 20_000; tries++)
            {
                socket.SendTo(new byte[1400], new IPEndPoint(IPAddress.Parse("10.231.77.2"), 9));
                Thread.Sleep(100);
            }

            monitor.Collect();
            long start = Stopwatch.GetTimestamp();
            long before = Statistics(near);
            byte[] datagram = new byte[1400];
            for (int i = 0; i < 20_000; i++)
            {
                socket.SendTo(datagram, new IPEndPoint(IPAddress.Parse("10.231.77.2"), 9));
            }

            // So long that it does not matter how far apart the readings are that belong together.
            Thread.Sleep(Window);
            long sent = Statistics(near) - before;
            NetworkIoStats stats = monitor.Collect().NetworkIo!.Value;
            double measured = stats.TotalBytesPerSecond * Stopwatch.GetElapsedTime(start).TotalSeconds;
            LongMode.Report(nameof(Network_traffic_agrees_with_the_statistics_of_the_interface), $"interface {sent / 1e6:0.00} MB, monitor {measured / 1e6:0.00} MB");
            Assert.InRange(sent, 1_000_000, long.MaxValue);
            // Other interfaces may carry something; loopback does not count.
            Assert.InRange(measured, sent * 0.9, (sent * 1.1) + 20_000_000);
        }
        finally
        {
            RealMachine.Run("ip", "link", "del", near);
            RealMachine.Run("ip", "netns", "del", peer);
        }

        static long Statistics(string name) => new[] { "rx_bytes", "tx_bytes" }
            .Sum(f => long.Parse(File.ReadAllText($"/sys/class/net/{name}/statistics/{f}"), CultureInfo.InvariantCulture));
    }

    [Fact]
    public void What_the_runtime_offers_can_be_read_on_every_system()
    {
        IResourceMonitor monitor = RuntimeMonitors.Create(new MonitorEnvironment { DataFolder = Path.GetTempPath() });
        monitor.Collect();
        GC.Collect();
        Thread.Sleep(100);
        ResourceUsage usage = monitor.Collect();
        Assert.InRange(usage.CpuPercent!.Value, 0, 100);
        Assert.InRange(usage.MemoryPercent!.Value, 0.001, 100);
        Assert.NotNull(usage.NetworkIo);
        Assert.Null(usage.DiskIo);
        Assert.Equal([ResourceType.DiskIo], monitor.Unsupported);
        ResourceCapacity capacity = monitor.ReadCapacity();
        Assert.True(capacity is { Cores: > 0, MemoryBytes: > 0, DiskBytes: > 0, FreeDiskBytes: > 0 });
        IResourceMonitor process = RuntimeMonitors.Create(new MonitorEnvironment { Scope = ResourceScope.Process, DataFolder = "?:/nowhere" });
        Assert.InRange(process.Collect().MemoryPercent!.Value, 0.001, 100);
        Assert.Equal([ResourceType.DiskIo, ResourceType.NetworkIo], process.Unsupported);
    }

    /// <summary>
    /// The first of a few comparisons that agrees within so many points: two readings that belong together are never made at one moment, and on a busy machine much may
    /// happen between them. Of a wrong figure none agrees.
    /// </summary>
    private static (double Measured, double Independent) Agreeing(double points, Func<(double Measured, double Independent)> compare)
    {
        (double Measured, double Independent) last = compare();
        for (int again = 0; again < 9 && Math.Abs(last.Measured - last.Independent) > points; again++)
        {
            last = compare();
        }

        Assert.InRange(last.Measured, last.Independent - points, last.Independent + points);
        return last;
    }

    private static bool Linux(string test)
    {
        if (!OperatingSystem.IsLinux())
        {
            LongMode.Report(test, "not run: this is not Linux");
        }

        return OperatingSystem.IsLinux();
    }
}
