using System.Diagnostics;
using Danube.Fast.Harness;

namespace Danube.Fast.EndToEnd.Tests;

/// <summary>
/// The micro-benchmarks in their short mode: each allocates at most what <c>bench/Micro/allocations.json</c> allows, and none is missing from that file. Times are printed
/// and not looked at.
/// </summary>
public class MicroBenchmarkGateTests
{
    [Fact(Timeout = 300_000)]
    public async Task NoMicroBenchmarkAllocatesMoreThanAllowed()
    {
        using Process process = Process.Start(new ProcessStartInfo(DotNetHost.Path, [BrokerLocator.MicroBenchAssembly(), "--check"]) { RedirectStandardOutput = true })!;
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, output);
        Assert.Contains("StreamHeaderBenchmarks.Write", output, StringComparison.Ordinal);
    }
}
