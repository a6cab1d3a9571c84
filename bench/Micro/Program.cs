using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
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
        danube-microbench --check                      every benchmark in a short loop; exit 1 when one allocates more than allocations.json allows
        danube-microbench [--short] [BENCHMARKDOTNET]  BenchmarkDotNet, for example: --filter '*Header*'; --short takes three short iterations
        """);
    return 0;
}

// In this process: the generated project of the default toolchain would have to live with central package versions and lock files.
string[] rest = [.. args.Where(a => a != "--short")];
Job job = (args.Contains("--short") ? Job.ShortRun : Job.Default).WithToolchain(InProcessEmitToolchain.Instance);
IConfig config = DefaultConfig.Instance.AddJob(job).WithArtifactsPath(Path.Combine(Path.GetTempPath(), "danube-microbench"));
BenchmarkSwitcher.FromAssembly(typeof(AllocationGate).Assembly).Run(rest.Length == 0 ? ["--filter", "*"] : rest, config);
return 0;
