using System.Diagnostics;
using System.Globalization;

namespace Danube.Fast.Harness;

/// <summary>Memory of another process.</summary>
public static class ProcessMemory
{
    /// <summary>Anonymous resident memory in bytes: heaps, not mapped log files. Where the system does not tell them apart: the private memory.</summary>
    public static long PrivateBytes(int pid)
    {
        string path = $"/proc/{pid}/status";
        string? line = File.Exists(path) ? File.ReadLines(path).FirstOrDefault(l => l.StartsWith("RssAnon:", StringComparison.Ordinal)) : null;
        if (line is not null)
        {
            return long.Parse(line.AsSpan(8).Trim().ToString().Split(' ')[0], CultureInfo.InvariantCulture) * 1024;
        }

        using Process process = Process.GetProcessById(pid);
        return process.PrivateMemorySize64;
    }
}
