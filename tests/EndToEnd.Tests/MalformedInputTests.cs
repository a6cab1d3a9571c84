using Danube.Fast.Bench.Fuzz;
using Danube.Fast.Harness;

namespace Danube.Fast.EndToEnd.Tests;

/// <summary>Mutated frames from a fixed seed. <c>DANUBE_LONG=1</c> makes it a million, as <c>danube bench fuzz</c> does.</summary>
public class MalformedInputTests
{
    [Fact(Timeout = 1_800_000)]
    public async Task MutatedFramesNeitherCrashNorHangNorDisturb()
    {
        long frames = Environment.GetEnvironmentVariable("DANUBE_LONG") == "1" ? 1_000_000 : 50_000;
        await using BrokerProcess broker = await BrokerProcess.StartAsync(FuzzRun.BrokerOptions);
        FuzzReport report = await FuzzRun.RunAsync(broker, new FuzzSettings { Frames = frames });
        Assert.True(report.Failures.Count == 0, string.Join('\n', report.Failures) + "\n" + broker.Output);
        Assert.True(report.Frames >= frames);
        Assert.True(report.ControlMessages > 0);
        Assert.True(report.Errors.Count > 5, "the mutations reach too little: " + string.Join(", ", report.Errors.Keys));
        Assert.Equal(0, await broker.StopAsync());
    }
}
