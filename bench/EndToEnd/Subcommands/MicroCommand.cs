using System.CommandLine;
using Danube.Fast.Bench.Runs;

namespace Danube.Fast.Bench.Subcommands;

/// <summary>All micro-benchmarks, with BenchmarkDotNet's own report.</summary>
internal static class MicroCommand
{
    public static Command Create()
    {
        Option<bool> check = new("--check") { Description = "only the allocation gate: every benchmark in a short loop; fails when one allocates more than bench/Micro/allocations.json allows" };
        Option<bool> full = new("--full") { Description = "as many iterations as BenchmarkDotNet wants, instead of three short ones" };
        Option<string> filter = new("--filter") { Description = "which benchmarks, for example '*Cursor*'", DefaultValueFactory = _ => "*" };
        Option<FileInfo?> json = CommonOptions.Json();
        var command = new Command("micro", "micro-benchmarks: headers, envelopes, batches, CRC, log, cursor, recording (BenchmarkDotNet)") { check, full, filter, json };
        command.SetAction(async (parse, cancellation) =>
        {
            var arguments = new List<string>();
            if (parse.GetValue(check))
            {
                arguments.Add("--check");
            }
            else
            {
                arguments.AddRange(parse.GetValue(full) ? [] : ["--short"]);
                arguments.AddRange(parse.GetValue(json) is { } file ? ["--json", file.FullName] : []);
                arguments.AddRange(["--filter", parse.GetValue(filter)!]);
            }

            return await MicroBenchmarks.RunAsync([.. arguments], false, cancellation);
        });
        return command;
    }
}
