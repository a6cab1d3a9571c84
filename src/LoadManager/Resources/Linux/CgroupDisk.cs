namespace Danube.Fast.LoadManager;

/// <summary>
/// Disk traffic of the control group on the device under the data folder. Where the kernel does not account it (no io controller, or no figures
/// for the device), that of the process.
/// </summary>
internal sealed class CgroupDisk : IResourceSource<DiskIoStats>
{
    private readonly CgroupController _group;
    private readonly SystemFile _file;
    private readonly TimeProvider _clock;
    private readonly byte[]? _device;
    private readonly string _path;
    private readonly ProcessDiskSource _process;
    private CounterRate _read;
    private CounterRate _written;

    public CgroupDisk(CgroupLayout layout, MonitorEnvironment environment, SystemFile file, DiskDevice? device)
    {
        _group = layout.Io!;
        _file = file;
        _clock = environment.Clock;
        _device = device is null ? null : System.Text.Encoding.ASCII.GetBytes(device.WholeDisk);
        _process = new ProcessDiskSource(environment, file);
        string recursive = Path.Combine(_group.Own, "blkio.throttle.io_service_bytes_recursive");
        _path = _group.Version == 2 ? Path.Combine(_group.Own, "io.stat")
            : File.Exists(recursive) ? recursive : Path.Combine(_group.Own, "blkio.throttle.io_service_bytes");
    }

    public string Description => $"of the control group (version {_group.Version}), else of the process";

    public DiskIoStats? Read()
    {
        ulong read = 0, written = 0;
        bool isAccounted = _group.Version == 2
            ? ReadSecond(_file.ReadOrEmpty(_path), ref read, ref written)
            : ReadFirst(_file.ReadOrEmpty(_path), ref read, ref written);
        if (!isAccounted)
        {
            // The two must not be compared with each other.
            _read.Forget();
            _written.Forget();
            return _process.Read();
        }

        long now = _clock.GetTimestamp();
        double? reads = _read.Next(read, now, _clock), writes = _written.Next(written, now, _clock);
        return reads is { } r && writes is { } w ? new DiskIoStats(r, w) : null;
    }

    private bool IsDevice(ReadOnlySpan<byte> number) => _device is null ? number.Contains((byte)':') : number.SequenceEqual(_device);

    // "254:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6"
    private bool ReadSecond(ReadOnlySpan<byte> text, ref ulong read, ref ulong written)
    {
        bool isFound = false;
        var lines = new TextLines(text);
        while (lines.Next(out ReadOnlySpan<byte> line))
        {
            if (!IsDevice(TextLines.NextField(ref line)))
            {
                continue;
            }

            for (ReadOnlySpan<byte> field = TextLines.NextField(ref line); !field.IsEmpty; field = TextLines.NextField(ref line))
            {
                if (field.StartsWith("rbytes="u8) && TextLines.TryNumber(field[7..], out ulong value))
                {
                    read += value;
                    isFound = true;
                }
                else if (field.StartsWith("wbytes="u8) && TextLines.TryNumber(field[7..], out value))
                {
                    written += value;
                    isFound = true;
                }
            }
        }

        return isFound;
    }

    // "254:0 Read 4096", "254:0 Write 8192", and others; "Total 12288" at the end.
    private bool ReadFirst(ReadOnlySpan<byte> text, ref ulong read, ref ulong written)
    {
        bool isFound = false;
        var lines = new TextLines(text);
        while (lines.Next(out ReadOnlySpan<byte> line))
        {
            if (!IsDevice(TextLines.NextField(ref line)))
            {
                continue;
            }

            ReadOnlySpan<byte> operation = TextLines.NextField(ref line);
            if (TextLines.NextNumber(ref line, out ulong value))
            {
                read += operation.SequenceEqual("Read"u8) ? value : 0;
                written += operation.SequenceEqual("Write"u8) ? value : 0;
                isFound = true;
            }
        }

        return isFound;
    }
}
