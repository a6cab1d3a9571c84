using System.Text.Json;
using System.Text.Json.Nodes;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Danube.Fast.MicroBench;

if (args is ["--check"])
{
    return AllocationGate.Run();
}

if (args is ["--help"] or ["-h"])
{
    Console.WriteLine("""
        danube-microbench --check                                    every benchmark in a short loop; exit 1 when one allocates more than allocations.json allows
        danube-microbench [--short] [--json FILE] [BENCHMARKDOTNET]  BenchmarkDotNet, for example: --filter '*Header*'; --short takes three short iterations,
                                                                     --json writes mean and allocated bytes of each benchmark to FILE
        """);
    return 0;
}

int jsonAt = Array.IndexOf(args, "--json");
if (jsonAt >= 0 && jsonAt == args.Length - 1)
{
    Console.Error.WriteLine("--json needs a file.");
    return 2;
}

// In this process: the generated project of the default toolchain would have to live with central package versions and lock files.
string[] rest = [.. args.Where((a, i) => a != "--short" && (jsonAt < 0 || (i != jsonAt && i != jsonAt + 1)))];
Job job = (args.Contains("--short") ? Job.ShortRun : Job.Default).WithToolchain(InProcessEmitToolchain.Instance);
IConfig config = DefaultConfig.Instance.AddJob(job).WithArtifactsPath(Path.Combine(Path.GetTempPath(), "danube-microbench"));
Summary[] summaries = [.. BenchmarkSwitcher.FromAssembly(typeof(AllocationGate).Assembly).Run(rest.Length == 0 ? ["--filter", "*"] : rest, config)];
if (jsonAt >= 0)
{
    var rows = new JsonArray();
    foreach (BenchmarkReport report in summaries.SelectMany(s => s.Reports).Where(r => r.ResultStatistics is not null))
    {
        BenchmarkCase benchmark = report.BenchmarkCase;
        string parameters = benchmark.Parameters.Count == 0 ? "" : $"({string.Join(", ", benchmark.Parameters.Items.Select(p => p.Value))})";
        rows.Add(new JsonObject
        {
            ["name"] = $"{benchmark.Descriptor.Type.Name}.{benchmark.Descriptor.WorkloadMethod.Name}{parameters}",
            ["mean_ns"] = report.ResultStatistics!.Mean,
            ["min_ns"] = report.ResultStatistics.Min,
            ["max_ns"] = report.ResultStatistics.Max,
            ["allocated_bytes"] = report.GcStats.GetBytesAllocatedPerOperation(benchmark),
        });
    }

    File.WriteAllText(args[jsonAt + 1], new JsonObject { ["benchmarks"] = rows }.ToJsonString(new JsonSerializerOptions { WriteIndented = true }));
}

return summaries.Length > 0 && summaries.All(s => s.Reports.All(r => r.Success)) ? 0 : 1;
