namespace Danube.Fast.LoadManager;

/// <summary>Cores and memory of the machine, and the cores that the process may run on.</summary>
internal sealed class MachineFacts
{
    private readonly MonitorEnvironment _environment;
    private readonly SystemFile _file;

    public MachineFacts(MonitorEnvironment environment, SystemFile file)
    {
        _environment = environment;
        _file = file;
    }

    /// <summary>Cores that the affinity mask or cpuset leaves, never more than the machine has.</summary>
    public double Cores()
    {
        int machine = MachineCores();
        int allowed = AllowedCores();
        return allowed == 0 ? machine : Math.Min(machine, allowed);
    }

    /// <summary>Bytes of memory of the machine.</summary>
    /// <exception cref="IOException">Not readable.</exception>
    public ulong MemoryBytes()
    {
        string path = _environment.At("proc/meminfo");
        ulong? kilobytes = TextLines.Value(_file.Read(path), "MemTotal:"u8);
        return kilobytes is > 0 ? kilobytes.Value * 1024 : throw new InvalidDataException($"{path} does not say MemTotal.");
    }

    private int MachineCores()
    {
        var lines = new TextLines(_file.Read(_environment.At("proc/stat")));
        int cores = 0;
        while (lines.Next(out ReadOnlySpan<byte> line))
        {
            cores += line.StartsWith("cpu"u8) && line.Length > 3 && char.IsAsciiDigit((char)line[3]) ? 1 : 0;
        }

        return Math.Max(cores, 1);
    }

    // "Cpus_allowed_list:	0-3,8" in /proc/self/status.
    private int AllowedCores()
    {
        var lines = new TextLines(_file.ReadOrEmpty(_environment.At("proc/self/status")));
        while (lines.Next(out ReadOnlySpan<byte> line))
        {
            if (TextLines.NextField(ref line).SequenceEqual("Cpus_allowed_list:"u8))
            {
                return CountList(TextLines.NextField(ref line));
            }
        }

        return 0;
    }

    private static int CountList(ReadOnlySpan<byte> list)
    {
        int count = 0;
        foreach (Range range in list.Split((byte)','))
        {
            ReadOnlySpan<byte> part = list[range];
            int dash = part.IndexOf((byte)'-');
            bool isSingle = dash < 0;
            if (TextLines.TryNumber(isSingle ? part : part[..dash], out ulong first)
                && TextLines.TryNumber(isSingle ? part : part[(dash + 1)..], out ulong last) && last >= first)
            {
                count += (int)(last - first) + 1;
            }
        }

        return count;
    }
}
