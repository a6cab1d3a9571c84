using BenchmarkDotNet.Running;
using Danube.Fast.MicroBench;

if (args is ["--check"])
{
    return AllocationGate.Run();
}

if (args is ["--help"] or ["-h"])
{
    Console.WriteLine("""
        danube-microbench --check            every benchmark in a short loop; exit 1 when one allocates more than allocations.json allows
        danube-microbench [BENCHMARKDOTNET]  BenchmarkDotNet, for example: --filter '*' --job short
        """);
    return 0;
}

BenchmarkSwitcher.FromAssembly(typeof(AllocationGate).Assembly).Run(args.Length == 0 ? ["--filter", "*"] : args);
return 0;
