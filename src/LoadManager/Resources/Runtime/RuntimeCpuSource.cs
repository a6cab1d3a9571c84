namespace Danube.Fast.LoadManager;

/// <summary>Processor time of the process, of all cores that it may use. The runtime does not know that of the machine.</summary>
internal sealed class RuntimeCpuSource(TimeProvider clock) : IResourceSource<double>
{
    private CounterRate _ticks;

    public string Description => "of the process";

    public double? Read()
    {
        if (!(OperatingSystem.IsWindows() || OperatingSystem.IsMacOS() || OperatingSystem.IsLinux() || OperatingSystem.IsFreeBSD()))
        {
            throw new IOException("The runtime has no processor times here.");
        }

        double? used = _ticks.Next((ulong)Environment.CpuUsage.TotalTime.Ticks, clock.GetTimestamp(), clock) / TimeSpan.TicksPerSecond;
        return used is { } cores ? Math.Clamp(100 * cores / Environment.ProcessorCount, 0, 100) : null;
    }
}
