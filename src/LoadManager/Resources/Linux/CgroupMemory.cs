namespace Danube.Fast.LoadManager;

/// <summary>
/// Memory of the control group without its page cache, against its limit. Of the groups above, the one nearest to its limit counts. Without
/// any limit it is the own group's use of the machine's memory.
/// </summary>
internal sealed class CgroupMemory : IResourceSource<double>
{
    private readonly CgroupController _group;
    private readonly MachineFacts _machine;
    private readonly SystemFile _file;
    private readonly HostMemorySource _host;

    public CgroupMemory(CgroupLayout layout, MonitorEnvironment environment, MachineFacts machine, SystemFile file)
    {
        _group = layout.Memory!;
        _machine = machine;
        _file = file;
        _host = new HostMemorySource(environment, file);
    }

    public string Description => $"of the control group (version {_group.Version})";

    private string UsageFile => _group.Version == 2 ? "memory.current" : "memory.usage_in_bytes";

    private string LimitFile => _group.Version == 2 ? "memory.max" : "memory.limit_in_bytes";

    /// <summary>Bytes that the group may use: the smallest of the machine's memory and the limits.</summary>
    public ulong LimitBytes()
    {
        ulong limit = _machine.MemoryBytes();
        foreach (string level in _group.Levels())
        {
            limit = Math.Min(limit, Limit(level, limit) ?? limit);
        }

        return limit;
    }

    public double? Read()
    {
        ulong machine = _machine.MemoryBytes();
        double? highest = null;
        foreach (string level in _group.Levels())
        {
            if (Limit(level, machine) is { } limit)
            {
                double percent = Math.Min(100, 100.0 * Used(level) / limit);
                highest = Math.Max(highest ?? 0, percent);
            }
        }

        // The topmost group of version 2 has no figures: it is the machine.
        return highest ?? (File.Exists(_group.File(_group.Relative, UsageFile)) ? Math.Min(100, 100.0 * Used(_group.Relative) / machine) : _host.Read());
    }

    // "No limit" is written as max in version 2 and as a number beyond any memory in version 1.
    private ulong? Limit(string level, ulong machine)
    {
        ReadOnlySpan<byte> text = _file.ReadOrEmpty(_group.File(level, LimitFile));
        return TextLines.NextNumber(ref text, out ulong limit) && limit > 0 && limit < machine ? limit : null;
    }

    private ulong Used(string level)
    {
        string path = _group.File(level, UsageFile);
        ulong usage = _file.ReadNumber(path) ?? throw new InvalidDataException($"{path} has no number.");
        ReadOnlySpan<byte> stat = _file.Read(_group.File(level, "memory.stat"));
        bool isSecond = _group.Version == 2;
        ulong cache = TextLines.Value(stat, isSecond ? "file"u8 : "total_cache"u8) ?? 0;
        // Shared memory and tmpfs are counted as cache, but cannot be dropped.
        ulong kept = TextLines.Value(stat, isSecond ? "shmem"u8 : "total_shmem"u8) ?? 0;
        return usage - Math.Min(usage, cache - Math.Min(cache, kept));
    }
}
