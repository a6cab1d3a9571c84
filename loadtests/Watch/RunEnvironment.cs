using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Danube.Fast.Harness;

namespace Danube.Fast.LoadTests.Watch;

/// <summary>Where and on what a run took place.</summary>
/// <param name="StartedAt">UTC.</param>
/// <param name="Commit">Of the source tree, with -dirty when it was changed.</param>
/// <param name="Machine">Name of the machine.</param>
/// <param name="Processor">Model and number of processors.</param>
/// <param name="MemoryBytes">Of the machine.</param>
/// <param name="System">Operating system and kernel.</param>
/// <param name="Runtime">.NET.</param>
public sealed record RunEnvironment(DateTime StartedAt, string Commit, string Machine, string Processor, long MemoryBytes, string System, string Runtime)
{
    public static RunEnvironment Current() => new(
        DateTime.UtcNow, GitCommit(), Environment.MachineName, $"{Model()}, {Environment.ProcessorCount} processors", GC.GetGCMemoryInfo().TotalAvailableMemoryBytes,
        RuntimeInformation.OSDescription, RuntimeInformation.FrameworkDescription);

    public string Date => StartedAt.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);

    private static string Model()
    {
        const string Info = "/proc/cpuinfo";
        string? line = File.Exists(Info) ? File.ReadLines(Info).FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal)) : null;
        return line?.Split(':', 2)[1].Trim() ?? RuntimeInformation.ProcessArchitecture.ToString();
    }

    private static string GitCommit()
    {
        try
        {
            var start = new ProcessStartInfo("git", ["-C", BrokerLocator.RepositoryRoot(), "describe", "--always", "--dirty"]) { RedirectStandardOutput = true, RedirectStandardError = true };
            using Process git = Process.Start(start)!;
            string text = git.StandardOutput.ReadToEnd().Trim();
            git.WaitForExit();
            return git.ExitCode == 0 ? text : "unknown";
        }
        catch (Exception e) when (e is global::System.ComponentModel.Win32Exception or DirectoryNotFoundException)
        {
            return "unknown";
        }
    }
}
