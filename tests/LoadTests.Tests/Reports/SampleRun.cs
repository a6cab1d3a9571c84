using Danube.Fast.LoadTests.Engine;
using Danube.Fast.LoadTests.Runs;
using Danube.Fast.LoadTests.Scenarios;
using Danube.Fast.LoadTests.Watch;

namespace Danube.Fast.LoadTests.Tests;

/// <summary>A finished run with awkward texts in every place that a report shows.</summary>
internal static class SampleRun
{
    public const string Awkward = "a \"quoted\" <b>&amp; text</b>, with a comma\nand a line | and a pipe";

    public static async Task<RunReport> CreateAsync(bool isBad = false)
    {
        Scenario scenario = Scenario.Create("sample", async context =>
        {
            await Step.Run("publish", context, () => Task.FromResult(context.InvocationNumber % 10 == 9 ? Response.Fail(Awkward) : Response.Ok(100)));
            return await Step.Run("end-to-end <x>", context, () => Task.FromResult(Response.Ok(100)));
        }).WithoutWarmUp().WithLoadSimulations(Simulation.Inject(500, TimeSpan.FromSeconds(1), TimeSpan.FromMilliseconds(400)))
            .WithThresholds(Threshold.AtMost("p99 " + Awkward, 1e6, "ms", _ => 1), Threshold.AtMost("hopeless", isBad ? 0 : 10, "ms", _ => 5), Threshold.AtMost("slope", 1, "MB/h", _ => 9).Unless(_ => "too short"))
            .WithClean(recorder =>
            {
                recorder.Audit.Add(new AuditRow("all", 200, 200, isBad ? 1 : 0, 0, 0, 0, false, true));
                recorder.Audit.Add(new AuditRow("shared", 200, 205, 0, 0, 0, 5, true, false));
                recorder.SetFigure("figure " + Awkward, 12.5, "KiB");
                recorder.AddNote(Awkward);
                if (isBad)
                {
                    recorder.AddFinding("lost: " + Awkward);
                }

                return Task.CompletedTask;
            });
        var running = new ScenarioRecorder(scenario.Name, TimeProvider.System);
        Task<ScenarioStats> run = new ScenarioRunner(scenario, running).RunAsync(CancellationToken.None);
        while (!run.IsCompleted)
        {
            running.Roll();
            await Task.Delay(100);
        }

        BrokerSample[] samples = [.. Enumerable.Range(0, 5).Select(i => new BrokerSample(i, 100_000_000 + i, i % 2 == 0 ? 50_000_000 : 51_000_000, i * 0.5, i % 2 == 0 ? i * 1000 : null, 1))];
        var environment = new RunEnvironment(new DateTime(2026, 11, 21, 12, 0, 0, DateTimeKind.Utc), "abc123-dirty", "host <1>", "a processor, 2 processors", 8_000_000_000, "Linux", ".NET 10");
        return new RunReport("a sample & nothing else", new ScenarioSettings { Url = "danube://h:1", Connections = 3 }, environment, await run, samples, false, 0.5);
    }
}
