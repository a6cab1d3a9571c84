namespace Danube.Fast.LoadManager;

/// <summary>Puts the monitor of a Linux system together.</summary>
internal static class LinuxMonitors
{
    /// <summary>Reads what is there once, and builds the monitor for it.</summary>
    public static IResourceMonitor Create(MonitorEnvironment environment)
    {
        var file = new SystemFile();
        var machine = new MachineFacts(environment, file);
        var layout = new CgroupLayout(environment, file);
        CgroupCpu? cpu = layout.Cpu is null ? null : new CgroupCpu(layout, environment, machine, file);
        CgroupMemory? memory = layout.Memory is null ? null : new CgroupMemory(layout, environment, machine, file);
        Func<double> cores = cpu is null ? machine.Cores : cpu.LimitCores;
        Func<ulong> memoryBytes = memory is null ? machine.MemoryBytes : memory.LimitBytes;
        ContainerEvidence evidence = ContainerEvidence.Find(environment, HasLimit(machine, cpu, memory));
        DiskDevice? device = DiskDevice.Under(environment.DataFolder, environment, file);
        var network = new NetworkSource(environment, file);
        var capacity = new LinuxCapacity(environment, cores, memoryBytes, network);

        if (environment.Scope == ResourceScope.Process)
        {
            return new ComposedResourceMonitor("process on Linux", environment.Clock, environment.Figures, capacity.Read)
            {
                Cpu = new ProcessCpuSource(environment, file, cores),
                Memory = new ProcessMemorySource(environment, file, memoryBytes),
                DiskIo = new ProcessDiskSource(environment, file),
                NetworkIo = environment.OwnNetwork is { } own ? new OwnNetworkSource(own, environment.Clock) : null,
            };
        }

        return evidence.IsContainer && cpu is not null && memory is not null
            ? new ComposedResourceMonitor($"container on Linux ({evidence.Reason})", environment.Clock, environment.Figures, capacity.Read)
            {
                Cpu = cpu,
                Memory = memory,
                DiskIo = layout.Io is null ? new ProcessDiskSource(environment, file) : new CgroupDisk(layout, environment, file, device),
                NetworkIo = network,
            }
            : new ComposedResourceMonitor($"native Linux ({evidence.Reason})", environment.Clock, environment.Figures, capacity.Read)
            {
                Cpu = new HostCpuSource(environment, file),
                Memory = new HostMemorySource(environment, file),
                DiskIo = device is null ? new ProcessDiskSource(environment, file) : new HostDiskSource(environment, file, device),
                NetworkIo = network,
            };
    }

    private static bool HasLimit(MachineFacts machine, CgroupCpu? cpu, CgroupMemory? memory)
    {
        try
        {
            return cpu?.LimitCores() < machine.Cores() || memory?.LimitBytes() < machine.MemoryBytes();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            return false;
        }
    }
}
