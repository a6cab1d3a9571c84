using System.Diagnostics;
using System.Text.Json.Nodes;
using Danube.Fast.Bench.Reports;
using Danube.Fast.Harness;

namespace Danube.Fast.Bench.Runs;

/// <summary>What BenchmarkDotNet found for one method.</summary>
public sealed record MicroFigure(double MeanNs, double MinNs, double MaxNs, long AllocatedBytes);

/// <summary>The micro-benchmarks are a program of their own, because BenchmarkDotNet wants one.</summary>
internal static class MicroBenchmarks
{
    /// <summary>Builds it when that is needed and runs it.</summary>
    /// <param name="arguments">As the program takes them.</param>
    /// <param name="quiet">Its output is shown only when it fails.</param>
    /// <param name="cancellation">Kills it.</param>
    /// <returns>Its exit code.</returns>
    public static async Task<int> RunAsync(string[] arguments, bool quiet, CancellationToken cancellation)
    {
        string project = Path.Combine(BrokerLocator.RepositoryRoot(), "bench", "Micro", "Danube.Fast.MicroBench.csproj");
        string[] line = ["run", "--project", project, "-c", "Release", "--", .. arguments];
        var start = new ProcessStartInfo(DotNetHost.Path, line) { RedirectStandardOutput = quiet, RedirectStandardError = quiet };

        // Build servers would go on running beside what is measured next.
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["UseSharedCompilation"] = "false";
        using Process process = Process.Start(start)!;
        try
        {
            Task<string> output = quiet ? process.StandardOutput.ReadToEndAsync(cancellation) : Task.FromResult("");
            Task<string> errors = quiet ? process.StandardError.ReadToEndAsync(cancellation) : Task.FromResult("");
            await process.WaitForExitAsync(cancellation);
            if (process.ExitCode != 0)
            {
                await Console.Error.WriteLineAsync(await output + await errors);
            }

            return process.ExitCode;
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(true);
            }
        }
    }

    /// <summary>Means of all benchmarks that a filter (<c>*.Class.*</c>) names, in three short iterations each.</summary>
    /// <exception cref="InvalidOperationException">It failed.</exception>
    public static async Task<IReadOnlyDictionary<string, MicroFigure>> MeasureAsync(string[] filters, CancellationToken cancellation)
    {
        string file = Path.Combine(Path.GetTempPath(), $"danube-microbench-{Guid.NewGuid():N}.json");
        try
        {
            LiveProgress.Show("micro-benchmarks: " + string.Join(' ', filters));
            if (await RunAsync(["--short", "--json", file, "--filter", .. filters], true, cancellation) != 0)
            {
                throw new InvalidOperationException("The micro-benchmarks failed; their output is above.");
            }

            LiveProgress.Clear();
            JsonNode root = JsonNode.Parse(await File.ReadAllTextAsync(file, cancellation))!;
            return root["benchmarks"]!.AsArray().ToDictionary(
                b => (string)b!["name"]!, b => new MicroFigure((double)b!["mean_ns"]!, (double)b["min_ns"]!, (double)b["max_ns"]!, (long?)b["allocated_bytes"] ?? 0));
        }
        finally
        {
            File.Delete(file);
        }
    }
}
