using Danube.Fast.LoadTests.CommandLine;

namespace Danube.Fast.LoadTests.Tests;

/// <summary>The command in this process.</summary>
internal static class LoadTest
{
    public static async Task<(int Code, string Text)> RunAsync(string arguments)
    {
        var text = new StringWriter();
        TextWriter both = TextWriter.Synchronized(text);
        int code = await LoadTestCommand.RunAsync(arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries), both, both);
        return (code, text.ToString());
    }

    public static string Folders(DirectoryInfo folder) => $"--report-dir {Path.Combine(folder.FullName, "reports")} --results {Path.Combine(folder.FullName, "results.csv")}";
}
