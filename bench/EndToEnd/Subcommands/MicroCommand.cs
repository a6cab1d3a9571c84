using System.CommandLine;
using System.Diagnostics;
using Danube.Fast.Harness;

namespace Danube.Fast.Bench.Subcommands;

/// <summary>P1 lives in a program of its own, because BenchmarkDotNet wants one.</summary>
internal static class MicroCommand
{
    public static Command Create()
    {
        Option<bool> check = new("--check") { Description = "only the short loop with the allocation gate" };
        var command = new Command("p1", "header and CRC micro-benchmarks (BenchmarkDotNet)") { check };
        command.SetAction(async (parse, cancellation) =>
        {
            string project = Path.Combine(BrokerLocator.RepositoryRoot(), "bench", "Micro", "Danube.Fast.MicroBench.csproj");
            string[] arguments = ["run", "--project", project, "-c", "Release", "--", .. parse.GetValue(check) ? new[] { "--check" } : ["--short", "--filter", "*"]];
            using Process process = Process.Start(new ProcessStartInfo(DotNetHost.Path, arguments))!;
            await process.WaitForExitAsync(cancellation);
            return process.ExitCode;
        });
        return command;
    }
}
