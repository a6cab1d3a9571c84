using System.Globalization;

namespace Danube.Fast.LoadTests.Watch;

/// <summary>The number of files and sockets that a process may have open (RLIMIT_NOFILE). The runtime raises the soft limit to the hard one by itself.</summary>
public static class FileLimit
{
    // Assemblies, logs, pipes, the event loop.
    private const int Own = 200;

    /// <summary>The limit of this process; null where the system does not tell.</summary>
    public static long? Current()
    {
        const string Limits = "/proc/self/limits";
        return File.Exists(Limits) ? Parse(File.ReadLines(Limits)) : null;
    }

    /// <summary>The soft limit in the text of /proc/PID/limits; null when it is not there or unlimited.</summary>
    public static long? Parse(IEnumerable<string> lines)
    {
        const string Name = "Max open files";
        string? line = lines.FirstOrDefault(l => l.StartsWith(Name, StringComparison.Ordinal));
        string? soft = line?[Name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault();
        return long.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out long limit) ? limit : null;
    }

    /// <summary>What to do when <paramref name="limit"/> is not enough for <paramref name="sockets"/>; null when it is.</summary>
    public static string? Complaint(long? limit, int sockets)
    {
        long needed = sockets + Own;
        return limit is null || limit >= needed ? null
            : $"This needs {needed:N0} open files and sockets, and a process may have {limit:N0} here. Raise the limit (as root: ulimit -Hn {needed}; then: ulimit -n {needed}; "
                + "in a systemd unit: LimitNOFILE; for good: /etc/security/limits.conf, nofile), or give fewer --connections.";
    }
}
