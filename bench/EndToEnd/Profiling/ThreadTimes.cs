using System.Globalization;

namespace Danube.Fast.Bench.Profiling;

/// <summary>Processor time of a process by the names of its threads, in nanoseconds, from Linux' /proc; empty elsewhere.</summary>
internal sealed class ThreadTimes
{
    private readonly Dictionary<(int Id, string Name), long> _threads = [];

    /// <summary>As it is now.</summary>
    public static ThreadTimes Of(int process)
    {
        var times = new ThreadTimes();
        string folder = $"/proc/{process}/task";
        foreach (string thread in Directory.Exists(folder) ? Directory.GetDirectories(folder) : [])
        {
            try
            {
                string name = File.ReadAllText(thread + "/comm").Trim();
                string ran = File.ReadAllText(thread + "/schedstat").Split(' ')[0];
                times._threads[(int.Parse(Path.GetFileName(thread), CultureInfo.InvariantCulture), name)] = long.Parse(ran, CultureInfo.InvariantCulture);
            }
            catch (IOException)
            {
                // It has just ended.
            }
        }

        return times;
    }

    /// <summary>Nanoseconds by name since <paramref name="before"/>; what a thread used that has ended meanwhile is not in it.</summary>
    public Dictionary<string, double> Since(ThreadTimes before)
    {
        var result = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (((int, string Name) thread, long ran) in _threads)
        {
            result[thread.Name] = result.GetValueOrDefault(thread.Name) + ran - before._threads.GetValueOrDefault(thread);
        }

        return result;
    }
}
