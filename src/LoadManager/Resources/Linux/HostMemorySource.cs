namespace Danube.Fast.LoadManager;

/// <summary>The machine's memory in <c>/proc/meminfo</c>: what is not available, of all. The page cache is available.</summary>
internal sealed class HostMemorySource : IResourceSource<double>
{
    private readonly SystemFile _file;
    private readonly string _path;

    public HostMemorySource(MonitorEnvironment environment, SystemFile file)
    {
        _file = file;
        _path = environment.At("proc/meminfo");
    }

    public string Description => "of the machine";

    public double? Read()
    {
        ReadOnlySpan<byte> text = _file.Read(_path);
        ulong? total = TextLines.Value(text, "MemTotal:"u8);
        // Kernels before 3.14 do not say what is available.
        ulong? available = TextLines.Value(text, "MemAvailable:"u8)
            ?? TextLines.Value(text, "MemFree:"u8) + TextLines.Value(text, "Buffers:"u8) + TextLines.Value(text, "Cached:"u8);
        if (total is not > 0 || available is null)
        {
            throw new InvalidDataException($"{_path} does not say how much memory there is.");
        }

        return 100.0 * (total.Value - Math.Min(available.Value, total.Value)) / total.Value;
    }
}
