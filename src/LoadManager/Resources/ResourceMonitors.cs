namespace Danube.Fast.LoadManager;

/// <summary>Chooses a monitor by what is really there.</summary>
public static class ResourceMonitors
{
    /// <summary>
    /// The monitor of this system: on Linux native (<c>/proc</c>) or container (cgroup), elsewhere what the runtime offers.
    /// </summary>
    public static IResourceMonitor Create(MonitorEnvironment environment)
    {
        ArgumentNullException.ThrowIfNull(environment);
        return OperatingSystem.IsLinux() ? LinuxMonitors.Create(environment) : RuntimeMonitors.Create(environment);
    }
}
