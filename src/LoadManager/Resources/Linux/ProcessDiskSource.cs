namespace Danube.Fast.LoadManager;

/// <summary>What the broker's process caused to be read from and written to disks, in <c>/proc/self/io</c>.</summary>
internal sealed class ProcessDiskSource : IResourceSource<DiskIoStats>
{
    private readonly SystemFile _file;
    private readonly TimeProvider _clock;
    private readonly string _path;
    private CounterRate _read;
    private CounterRate _written;

    public ProcessDiskSource(MonitorEnvironment environment, SystemFile file)
    {
        _file = file;
        _clock = environment.Clock;
        _path = environment.At("proc/self/io");
    }

    public string Description => "of the process";

    public DiskIoStats? Read()
    {
        ReadOnlySpan<byte> text = _file.Read(_path);
        ulong? read = TextLines.Value(text, "read_bytes:"u8), written = TextLines.Value(text, "write_bytes:"u8);
        if (read is null || written is null)
        {
            throw new InvalidDataException($"{_path} has no bytes.");
        }

        long now = _clock.GetTimestamp();
        double? reads = _read.Next(read.Value, now, _clock), writes = _written.Next(written.Value, now, _clock);
        return reads is { } r && writes is { } w ? new DiskIoStats(r, w) : null;
    }
}
