namespace Danube.Fast.LoadManager;

/// <summary>The machine's processor time in <c>/proc/stat</c>: everything but idle and waiting for a disk, of everything.</summary>
internal sealed class HostCpuSource : IResourceSource<double>
{
    // user, nice, system, idle, iowait, irq, softirq, steal; guest time is a part of user time.
    private const int Fields = 8, Idle = 3, IoWait = 4;

    private readonly SystemFile _file;
    private readonly string _path;
    private ulong _busy;
    private ulong _total;
    private bool _hasEarlier;

    public HostCpuSource(MonitorEnvironment environment, SystemFile file)
    {
        _file = file;
        _path = environment.At("proc/stat");
    }

    public string Description => "of the machine";

    public double? Read()
    {
        ReadOnlySpan<byte> line = _file.Read(_path);
        if (!TextLines.NextField(ref line).SequenceEqual("cpu"u8))
        {
            throw new InvalidDataException($"{_path} does not begin with the line of all processors.");
        }

        ulong total = 0, idle = 0;
        for (int i = 0; i < Fields && TextLines.NextNumber(ref line, out ulong value); i++)
        {
            total += value;
            idle += i is Idle or IoWait ? value : 0;
        }

        ulong busy = total - idle;
        bool isComparable = _hasEarlier && busy >= _busy && total > _total;
        double? percent = isComparable ? Math.Clamp(100.0 * (busy - _busy) / (total - _total), 0, 100) : null;
        if (!_hasEarlier || total != _total)
        {
            (_busy, _total, _hasEarlier) = (busy, total, true);
        }

        return percent;
    }
}
