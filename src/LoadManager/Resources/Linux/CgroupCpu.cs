namespace Danube.Fast.LoadManager;

/// <summary>
/// Processor time of the control group against its quota. A group above may have a tighter quota that is shared: the level that is nearest
/// to its limit counts. Without any quota the limit is the machine, or the cores that the cpuset leaves.
/// </summary>
internal sealed class CgroupCpu : IResourceSource<double>
{
    private const double NanosecondsPerSecond = 1e9, MicrosecondsPerSecond = 1e6;

    private readonly CgroupController _quota;
    private readonly CgroupController _accounting;
    private readonly MachineFacts _machine;
    private readonly SystemFile _file;
    private readonly TimeProvider _clock;
    private readonly ProcessCpuSource _process;
    private readonly Level[] _levels;

    public CgroupCpu(CgroupLayout layout, MonitorEnvironment environment, MachineFacts machine, SystemFile file)
    {
        _quota = layout.Cpu!;
        _accounting = layout.CpuAccounting!;
        _machine = machine;
        _file = file;
        _clock = environment.Clock;
        _process = new ProcessCpuSource(environment, file, () => 1);
        _levels = [.. _quota.Levels().Select(path => new Level(path, IsAccounted(path)))];
    }

    public string Description => $"of the control group (version {_quota.Version})";

    /// <summary>Cores that the group may use: the tightest of machine, cpuset and quotas.</summary>
    public double LimitCores()
    {
        double limit = _machine.Cores();
        foreach (Level level in _levels)
        {
            limit = Math.Min(limit, QuotaCores(level) ?? limit);
        }

        return limit;
    }

    public double? Read()
    {
        double machine = _machine.Cores();
        double? highest = null;
        for (int i = 0; i < _levels.Length; i++)
        {
            double? quota = QuotaCores(_levels[i]);
            if (i > 0 && quota is null)
            {
                continue;
            }

            double? used = UsedCores(_levels[i], isOwn: i == 0);
            double? percent = 100 * used / Math.Min(quota ?? machine, machine);
            highest = percent is { } p && (highest is null || p > highest) ? Math.Clamp(p, 0, 100) : highest;
        }

        return highest;
    }

    // Quota and use may be two hierarchies that do not have the same groups.
    private bool IsAccounted(string level) => File.Exists(_accounting.File(level, _accounting.Version == 2 ? "cpu.stat" : "cpuacct.usage"));

    private double? QuotaCores(Level level)
    {
        ulong? quota, period;
        if (_quota.Version == 2)
        {
            // "200000 100000", or "max 100000" without a quota; the topmost group has no such file.
            ReadOnlySpan<byte> text = _file.ReadOrEmpty(_quota.File(level.Path, "cpu.max"));
            quota = TextLines.NextNumber(ref text, out ulong q) ? q : null;
            period = TextLines.NextNumber(ref text, out ulong p) ? p : null;
        }
        else
        {
            ReadOnlySpan<byte> text = _file.ReadOrEmpty(_quota.File(level.Path, "cpu.cfs_quota_us"));
            quota = TextLines.NextNumber(ref text, out ulong q) ? q : null;
            text = _file.ReadOrEmpty(_quota.File(level.Path, "cpu.cfs_period_us"));
            period = TextLines.NextNumber(ref text, out ulong p) ? p : null;
        }

        return quota is > 0 && period is > 0 ? (double)quota.Value / period.Value : null;
    }

    private double? UsedCores(Level level, bool isOwn)
    {
        if (!level.IsAccounted)
        {
            return isOwn ? _process.UsedCores() : null;
        }

        if (_accounting.Version == 2)
        {
            string path = _accounting.File(level.Path, "cpu.stat");
            ulong micros = TextLines.Value(_file.Read(path), "usage_usec"u8) ?? throw new InvalidDataException($"{path} has no usage_usec.");
            return level.Used.Next(micros, _clock.GetTimestamp(), _clock) / MicrosecondsPerSecond;
        }

        string file = _accounting.File(level.Path, "cpuacct.usage");
        ulong nanos = _file.ReadNumber(file) ?? throw new InvalidDataException($"{file} has no number.");
        return level.Used.Next(nanos, _clock.GetTimestamp(), _clock) / NanosecondsPerSecond;
    }

    private sealed class Level(string path, bool isAccounted)
    {
        internal CounterRate Used;

        public string Path { get; } = path;
        public bool IsAccounted { get; } = isAccounted;
    }
}
