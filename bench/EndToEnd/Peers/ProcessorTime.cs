using System.Globalization;

namespace Danube.Fast.Bench.Peers;

/// <summary>Processor time of a process and of each of its threads, from /proc.</summary>
internal sealed class ProcessorTime
{
    private const double TicksPerSecond = 100;
    private const int UserField = 11;

    private readonly Dictionary<int, long> _threads = [];
    private long _total;

    /// <summary>As it is now; empty when the process has ended.</summary>
    public static ProcessorTime Of(int process)
    {
        var time = new ProcessorTime();
        string folder = $"/proc/{process}";
        try
        {
            time._total = Read(folder + "/stat");
            foreach (string thread in Directory.EnumerateDirectories(folder + "/task"))
            {
                time._threads[int.Parse(Path.GetFileName(thread), CultureInfo.InvariantCulture)] = Read(thread + "/stat");
            }
        }
        catch (IOException)
        {
            // It, or one of its threads, has just ended.
        }

        return time;
    }

    /// <summary>Of the whole machine: what was neither idle nor waiting for a disk, without threads.</summary>
    public static ProcessorTime OfMachine()
    {
        // "cpu", then user, nice, system, idle, iowait, irq, softirq, steal
        long[] fields = [.. File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1).Take(8).Select(f => long.Parse(f, CultureInfo.InvariantCulture))];
        return new ProcessorTime { _total = fields.Sum() - fields[3] - fields[4] };
    }

    /// <summary>Cores that the process used since <paramref name="before"/>.</summary>
    public double CoresSince(ProcessorTime before, TimeSpan elapsed) => (_total - before._total) / TicksPerSecond / elapsed.TotalSeconds;

    /// <summary>Share of a core that its busiest thread used since <paramref name="before"/>.</summary>
    public double BusiestThreadSince(ProcessorTime before, TimeSpan elapsed) =>
        _threads.Max(t => (double?)(t.Value - before._threads.GetValueOrDefault(t.Key))) / TicksPerSecond / elapsed.TotalSeconds ?? 0;

    // The name in parentheses may hold anything; user and system time are the 14th and 15th field.
    private static long Read(string path)
    {
        string text = File.ReadAllText(path);
        string[] fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
        return long.Parse(fields[UserField], CultureInfo.InvariantCulture) + long.Parse(fields[UserField + 1], CultureInfo.InvariantCulture);
    }
}
