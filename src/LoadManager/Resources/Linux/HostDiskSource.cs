using System.Globalization;

namespace Danube.Fast.LoadManager;

/// <summary>Traffic of the device under the data folder in <c>/proc/diskstats</c>.</summary>
internal sealed class HostDiskSource : IResourceSource<DiskIoStats>
{
    // The kernel counts in sectors of 512 bytes whatever the device has.
    private const ulong SectorBytes = 512;
    private const int FieldsBetween = 3;

    private readonly SystemFile _file;
    private readonly TimeProvider _clock;
    private readonly string _path;
    private readonly string _number;
    private readonly ulong _major;
    private readonly ulong _minor;
    private CounterRate _read;
    private CounterRate _written;

    public HostDiskSource(MonitorEnvironment environment, SystemFile file, DiskDevice device)
    {
        _file = file;
        _clock = environment.Clock;
        _path = environment.At("proc/diskstats");
        _number = device.Number;
        string[] parts = device.Number.Split(':');
        _major = ulong.Parse(parts[0], CultureInfo.InvariantCulture);
        _minor = ulong.Parse(parts[1], CultureInfo.InvariantCulture);
    }

    public string Description => $"of device {_number}";

    public DiskIoStats? Read()
    {
        var lines = new TextLines(_file.Read(_path));
        while (lines.Next(out ReadOnlySpan<byte> line))
        {
            if (!TextLines.NextNumber(ref line, out ulong major) || !TextLines.NextNumber(ref line, out ulong minor) || major != _major || minor != _minor)
            {
                continue;
            }

            // Name, reads and merged reads come before the sectors read; then time, writes and merged writes before those written.
            TextLines.Skip(ref line, FieldsBetween);
            if (TextLines.NextNumber(ref line, out ulong read))
            {
                TextLines.Skip(ref line, FieldsBetween);
                if (TextLines.NextNumber(ref line, out ulong written))
                {
                    long now = _clock.GetTimestamp();
                    double? reads = _read.Next(read * SectorBytes, now, _clock), writes = _written.Next(written * SectorBytes, now, _clock);
                    return reads is { } r && writes is { } w ? new DiskIoStats(r, w) : null;
                }
            }
        }

        throw new InvalidDataException($"{_path} has no device {_number}.");
    }
}
