using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Danube.Fast.Harness;

namespace Danube.Fast.Bench.Reports;

/// <summary>Where a figure was taken: commit, processor, kernel, file system, runtime.</summary>
public static class MachineInfo
{
    private static readonly Lazy<string> KnownCommit = new(ReadCommit);

    /// <summary>Commit of the source tree, <c>-dirty</c> behind it when files were changed; <c>unknown</c> outside of a clone.</summary>
    public static string Commit => KnownCommit.Value;

    /// <summary>One line.</summary>
    /// <param name="folder">Folder whose file system is named; null = the system's temporary folder.</param>
    public static string Describe(string? folder = null) =>
        $"commit {Commit}, {Environment.ProcessorCount} cores ({Processor()}), {RuntimeInformation.OSDescription}, kernel {Kernel()}, {FileSystem(folder ?? Path.GetTempPath())}, {RuntimeInformation.FrameworkDescription}, {DateTime.UtcNow:yyyy-MM-dd HH:mm} UTC";

    /// <summary>The same, member by member.</summary>
    /// <param name="folder">Folder whose file system is named; null = the system's temporary folder.</param>
    public static JsonObject ToJson(string? folder = null) => new()
    {
        ["commit"] = Commit,
        ["date"] = DateTime.UtcNow.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture),
        ["cores"] = Environment.ProcessorCount,
        ["processor"] = Processor(),
        ["memory_bytes"] = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes,
        ["system"] = RuntimeInformation.OSDescription,
        ["kernel"] = Kernel(),
        ["file_system"] = FileSystem(folder ?? Path.GetTempPath()),
        ["runtime"] = RuntimeInformation.FrameworkDescription,
    };

    /// <summary>Type of the file system that holds a folder, <c>unknown</c> where the system does not tell.</summary>
    public static string FileSystem(string folder)
    {
        if (!File.Exists("/proc/self/mounts"))
        {
            return "file system unknown";
        }

        string path = Path.GetFullPath(folder), best = "", type = "unknown";
        foreach (string[] parts in File.ReadLines("/proc/self/mounts").Select(l => l.Split(' ')).Where(p => p.Length > 2))
        {
            string mount = parts[1].Replace("\\040", " ", StringComparison.Ordinal);
            bool holds = mount == "/" || path == mount || path.StartsWith(mount + "/", StringComparison.Ordinal);
            if (holds && mount.Length >= best.Length)
            {
                (best, type) = (mount, parts[2]);
            }
        }

        return type;
    }

    private static string Kernel() => File.Exists("/proc/sys/kernel/osrelease") ? File.ReadAllText("/proc/sys/kernel/osrelease").Trim() : Environment.OSVersion.Version.ToString();

    private static string Processor()
    {
        string? line = File.Exists("/proc/cpuinfo") ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal)) : null;
        return line is null ? RuntimeInformation.ProcessArchitecture.ToString() : line[(line.IndexOf(':') + 1)..].Trim();
    }

    private static string ReadCommit()
    {
        try
        {
            var start = new ProcessStartInfo("git", ["-C", BrokerLocator.RepositoryRoot(), "describe", "--always", "--dirty"]) { RedirectStandardOutput = true, RedirectStandardError = true };
            using Process git = Process.Start(start)!;
            string text = git.StandardOutput.ReadToEnd().Trim();
            git.WaitForExit();
            return git.ExitCode == 0 ? text : "unknown";
        }
        catch (Exception e) when (e is System.ComponentModel.Win32Exception or DirectoryNotFoundException)
        {
            return "unknown";
        }
    }
}
