using Danube.Fast.Harness;
using Danube.Fast.LoadTests.Engine;
using Danube.Fast.LoadTests.Reports;
using Danube.Fast.LoadTests.Scenarios;

namespace Danube.Fast.EndToEnd.Tests;

/// <summary>The load scenarios in short, with their auditors: what <c>danube loadtest</c> runs for longer.</summary>
public class LoadScenarioTests
{
    [Theory(Timeout = 120_000)]
    [InlineData("one-to-one", 0)]
    [InlineData("fan-in", 0)]
    [InlineData("fan-out", 500)]
    [InlineData("work-queue", 0)]
    public async Task TheAuditorFindsNothing(string name, int rate)
    {
        await using BrokerProcess broker = await BrokerProcess.StartAsync();
        var settings = new ScenarioSettings { Url = broker.Url, Rate = rate, During = TimeSpan.FromSeconds(2), WarmUp = TimeSpan.FromSeconds(0.5) };
        await using var scenario = new PubSubScenario(PubSubScenario.Shapes(settings.Width).Single(s => s.Name == name), settings);
        ScenarioStats stats = await ScenarioRunner.RunAsync(scenario.Build(), CancellationToken.None);
        Assert.True(stats.IsOk, LoadReport.ToMarkdown([stats]));
        Assert.True(stats.Step("publish").OkCount > 100, LoadReport.ToMarkdown([stats]));
        Assert.Contains("| publish |", LoadReport.ToMarkdown([stats]));
    }
}
