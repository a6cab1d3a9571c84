using System.Diagnostics;
using System.Globalization;
using Danube.Fast.Tests;

namespace Danube.Fast.LoadManager.Tests;

/// <summary>Processes in real control groups of version 1 with limits, where the machine has them and lets us make some.</summary>
[Collection(nameof(RealMachineTests))]
public sealed class RealCgroupTests
{
    private const string Base = "/sys/fs/cgroup";
    private const long LimitBytes = 256 * 1024 * 1024;

    private static readonly string[] Controllers = ["cpu", "cpuacct", "memory"];

    [Fact]
    public void A_process_at_its_quota_is_at_100_percent_and_its_memory_is_of_its_limit()
    {
        string name = "danube-lm-" + Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        string[] groups = [.. Controllers.Select(c => $"{Base}/{c}/{name}")];
        string folder = Directory.CreateTempSubdirectory("danube-lm-").FullName;
        var processes = new List<Process>();
        try
        {
            if (!TryMake(groups))
            {
                LongMode.Report(nameof(A_process_at_its_quota_is_at_100_percent_and_its_memory_is_of_its_limit), "control groups of version 1 with limits cannot be made here: not run");
                return;
            }

            string join = string.Concat(groups.Select(g => $"echo $$ > {g}/cgroup.procs; "));
            string cached = Path.Combine(folder, "cached");
            // One process holds 100 MB, one fills the page cache and then spins against the quota of half a core.
            processes.Add(RealMachine.Start("sh", "-c", join + "head -c 100000000 /dev/zero | tail -c 100000000 | sleep 300"));
            processes.Add(RealMachine.Start("sh", "-c", join + $"head -c 64000000 /dev/zero > {cached}; echo ready; while :; do :; done"));
            Assert.Equal("ready", processes[1].StandardOutput.ReadLine());
            WaitForMemory(groups[2], 155_000_000);

            using SystemRoot root = SystemRoot.OfProcess(processes[1].Id, folder);
            IResourceMonitor monitor = root.Monitor();
            Assert.StartsWith("container on Linux (the control group has a limit below the machine)", monitor.Description, StringComparison.Ordinal);
            Assert.Equal(0.5, monitor.ReadCapacity().Cores);
            Assert.Equal(LimitBytes, monitor.ReadCapacity().MemoryBytes);
            monitor.Collect();
            long start = Stopwatch.GetTimestamp();
            double used = Used(groups[1]);
            Thread.Sleep(TimeSpan.FromSeconds(3));
            ResourceUsage usage = monitor.Collect();
            double independent = 100 * (Used(groups[1]) - used) / 1e9 / Stopwatch.GetElapsedTime(start).TotalSeconds / 0.5;
            double expected = 100.0 * 100_000_000 / LimitBytes;
            LongMode.Report(
                nameof(A_process_at_its_quota_is_at_100_percent_and_its_memory_is_of_its_limit),
                $"processor {usage.CpuPercent:0.0} % of half a core (counted {independent:0.0}), memory {usage.MemoryPercent:0.0} % (expected {expected:0.0} and little more; with page cache {100.0 * Number(groups[2] + "/memory.usage_in_bytes") / LimitBytes:0.0})");
            Assert.InRange(usage.CpuPercent!.Value, Math.Min(100, independent) - 15, 100);
            Assert.InRange(usage.MemoryPercent!.Value, expected - 2, expected + 10);
            // The 64 MB of cache are in the kernel's figure of use, and not in ours.
            Assert.InRange(100.0 * Number(groups[2] + "/memory.usage_in_bytes") / LimitBytes, usage.MemoryPercent.Value + 15, 100);
        }
        finally
        {
            foreach (Process process in processes)
            {
                process.Kill(entireProcessTree: true);
                process.WaitForExit();
                process.Dispose();
            }

            Array.ForEach(groups, Remove);
            Directory.Delete(folder, recursive: true);
        }
    }

    private static bool TryMake(string[] groups)
    {
        if (!OperatingSystem.IsLinux() || !Controllers.All(c => File.Exists($"{Base}/{c}/cgroup.procs")))
        {
            return false;
        }

        try
        {
            Array.ForEach(groups, g => Directory.CreateDirectory(g));
            File.WriteAllText(groups[0] + "/cpu.cfs_period_us", "100000");
            File.WriteAllText(groups[0] + "/cpu.cfs_quota_us", "50000");
            File.WriteAllText(groups[2] + "/memory.limit_in_bytes", LimitBytes.ToString(CultureInfo.InvariantCulture));
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static void WaitForMemory(string group, long bytes)
    {
        for (int tries = 0; tries < 600 && Number(group + "/memory.usage_in_bytes") < bytes; tries++)
        {
            Thread.Sleep(100);
        }
    }

    private static void Remove(string group)
    {
        // A group can be removed a moment after its last process has ended.
        for (int tries = 0; tries < 100 && Directory.Exists(group); tries++)
        {
            try
            {
                Directory.Delete(group);
            }
            catch (IOException)
            {
                Thread.Sleep(50);
            }
        }
    }

    private static double Used(string group) => Number(group + "/cpuacct.usage");

    private static long Number(string path) => long.Parse(File.ReadAllText(path), CultureInfo.InvariantCulture);
}
