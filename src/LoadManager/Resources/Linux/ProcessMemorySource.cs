namespace Danube.Fast.LoadManager;

/// <summary>Memory of the broker's process in <c>/proc/self/status</c>: its own and shared pages; mapped files are page cache and do not count.</summary>
internal sealed class ProcessMemorySource : IResourceSource<double>
{
    private readonly SystemFile _file;
    private readonly string _path;
    private readonly Func<ulong> _limit;

    public ProcessMemorySource(MonitorEnvironment environment, SystemFile file, Func<ulong> limit)
    {
        _file = file;
        _path = environment.At("proc/self/status");
        _limit = limit;
    }

    public string Description => "of the process";

    public double? Read()
    {
        ulong limit = _limit();
        ReadOnlySpan<byte> text = _file.Read(_path);
        ulong? kilobytes = TextLines.Value(text, "RssAnon:"u8) + TextLines.Value(text, "RssShmem:"u8) ?? TextLines.Value(text, "VmRSS:"u8);
        return kilobytes is { } used
            ? Math.Min(100, 100.0 * used * 1024 / limit)
            : throw new InvalidDataException($"{_path} does not say how much memory is resident.");
    }
}
