namespace Danube.Fast.LoadManager;

/// <summary>Processor time of the broker's process in <c>/proc/self/stat</c>, of the cores that it may use.</summary>
internal sealed class ProcessCpuSource : IResourceSource<double>
{
    // User and system time are fields 14 and 15; behind the name, which may hold blanks, field 3 comes first.
    private const int FieldsBeforeUserTime = 11;

    // The kernel reports process times in these units on every architecture that .NET runs on.
    private const double TicksPerSecond = 100;

    private readonly SystemFile _file;
    private readonly TimeProvider _clock;
    private readonly string _path;
    private readonly Func<double> _cores;
    private CounterRate _ticks;

    public ProcessCpuSource(MonitorEnvironment environment, SystemFile file, Func<double> cores)
    {
        _file = file;
        _clock = environment.Clock;
        _path = environment.At("proc/self/stat");
        _cores = cores;
    }

    public string Description => "of the process";

    public double? Read()
    {
        double cores = _cores();
        return UsedCores() is { } used ? Math.Clamp(100 * used / cores, 0, 100) : null;
    }

    /// <summary>Processor seconds per second.</summary>
    public double? UsedCores()
    {
        ReadOnlySpan<byte> line = _file.Read(_path);
        line = line[(line.LastIndexOf((byte)')') + 1)..];
        TextLines.Skip(ref line, FieldsBeforeUserTime);
        if (!TextLines.NextNumber(ref line, out ulong user) || !TextLines.NextNumber(ref line, out ulong system))
        {
            throw new InvalidDataException($"{_path} has no processor times.");
        }

        return _ticks.Next(user + system, _clock.GetTimestamp(), _clock) / TicksPerSecond;
    }
}
