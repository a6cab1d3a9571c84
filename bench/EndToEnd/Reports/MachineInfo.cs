using System.Diagnostics;
using System.Runtime.InteropServices;
using Danube.Fast.Harness;

namespace Danube.Fast.Bench.Reports;

/// <summary>One line that says where a figure was taken: commit, cores, kernel, runtime.</summary>
public static class MachineInfo
{
    public static string Describe() =>
        $"commit {Commit()}, {Environment.ProcessorCount} cores, {RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}, {DateTime.UtcNow:yyyy-MM-dd HH:mm} UTC";

    private static string Commit()
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
