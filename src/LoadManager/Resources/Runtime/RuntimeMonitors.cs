namespace Danube.Fast.LoadManager;

/// <summary>
/// The monitor of systems without <c>/proc</c>, from what the runtime offers everywhere: processor time of the process, memory load as the garbage
/// collector sees it, statistics of the network interfaces. There is no disk traffic in it.
/// </summary>
internal static class RuntimeMonitors
{
    public static IResourceMonitor Create(MonitorEnvironment environment)
    {
        bool isProcess = environment.Scope == ResourceScope.Process;
        return new ComposedResourceMonitor("what the .NET runtime offers", environment.Clock, environment.Figures, () => Capacity(environment))
        {
            Cpu = new RuntimeCpuSource(environment.Clock),
            Memory = new RuntimeMemorySource(environment.Scope),
            NetworkIo = !isProcess ? new RuntimeNetworkSource(environment.Clock)
                : environment.OwnNetwork is { } own ? new OwnNetworkSource(own, environment.Clock) : null,
        };
    }

    private static ResourceCapacity Capacity(MonitorEnvironment environment)
    {
        (long? size, long? free) = FileSystem.Space(environment.DataFolder);
        return new ResourceCapacity
        {
            Cores = Environment.ProcessorCount,
            MemoryBytes = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes,
            DiskBytes = size,
            FreeDiskBytes = free,
        };
    }
}
