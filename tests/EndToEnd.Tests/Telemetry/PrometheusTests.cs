using System.Globalization;
using Danube.Fast.Harness;
using Xunit.Abstractions;

namespace Danube.Fast.EndToEnd.Tests.Telemetry;

/// <summary>Debian's Prometheus scrapes a broker under load, and answers every expression of the dashboards and the alert rules.</summary>
public sealed class PrometheusTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    [Fact(Timeout = 240_000)]
    public async Task Every_panel_and_every_alert_has_data_or_waits_for_a_part_to_come()
    {
        await using ScrapedLoad load = await ScrapedLoad.StartAsync();
        await using PrometheusServer prometheus = await PrometheusServer.StartAsync(load.Broker.Http, Expression.AlertFile);
        List<Expression> all = [.. Expression.OfDashboards(), .. Expression.OfAlerts()];
        List<Expression> open = [.. all.Where(e => PartsToCome.Of(e) is null)];
        int expected = open.Count, series = 0;
        DateTime end = DateTime.UtcNow + Patience;
        while (open.Count > 0 && DateTime.UtcNow < end)
        {
            await Task.Delay(TimeSpan.FromSeconds(1));
            for (int i = open.Count - 1; i >= 0; i--)
            {
                int found = (await prometheus.QueryAsync(open[i].ToQuery())).Count(v => !double.IsNaN(v));
                if (found > 0)
                {
                    series += found;
                    open.RemoveAt(i);
                }
            }
        }

        Assert.True(open.Count == 0, "No data:\n" + string.Join('\n', open.Select(e => $"{e.Place}: {e.Text}")) + "\n" + prometheus.Output + load.Broker.Output);

        var early = new List<string>();
        foreach (Expression expression in all.Where(e => PartsToCome.Of(e) is not null))
        {
            if ((await prometheus.QueryAsync(expression.ToQuery())).Any(v => !double.IsNaN(v)))
            {
                early.Add($"{expression.Place}: {expression.Text} ({PartsToCome.Of(expression)})");
            }
        }

        Assert.True(early.Count == 0, $"There is data, take the families out of {nameof(PartsToCome)}:\n" + string.Join('\n', early));
        (string Name, string Health, string Error)[] rules = await prometheus.RulesAsync();
        while (rules.Any(r => r.Health == "unknown") && DateTime.UtcNow < end)
        {
            await Task.Delay(200);
            rules = await prometheus.RulesAsync();
        }

        Assert.Equal(Expression.OfAlerts().Select(a => a.Place).Order(), rules.Select(r => r.Name).Order());
        Assert.All(rules, r => Assert.Equal(("ok", ""), (r.Health, r.Error)));

        // The rule itself, with its limit, finds the subscription that nobody reads.
        Expression stalled = Expression.OfAlerts().Single(a => a.Place == "DanubeSubscriptionStalled");
        Assert.Single(await prometheus.QueryAsync(stalled.Text + " and on (subscription) danube_topic_backlog_messages{subscription=\"nobody\"}"));

        double samples = (await prometheus.QueryAsync("scrape_samples_scraped"))[0], seconds = (await prometheus.QueryAsync("max_over_time(scrape_duration_seconds[1m])"))[0];
        string parts = string.Join(", ", all.Select(PartsToCome.Of).OfType<string>().CountBy(p => p).Select(p => $"{p.Key} {p.Value}"));
        Say(string.Create(
            CultureInfo.InvariantCulture,
            $"{expected} expressions of {Expression.Dashboards.Count()} dashboards and {rules.Length} alerts returned {series} series; {all.Count - expected} belong to parts to come ({parts}); a scrape had {samples} samples and took at most {seconds * 1000:0.0} ms"));
    }

    [Fact]
    public async Task Promtool_accepts_the_page_and_the_rules()
    {
        (int exitCode, string text) = await PrometheusServer.PromtoolAsync("", "check", "rules", Expression.AlertFile);
        Assert.True(exitCode == 0, text);
        Say("promtool check rules: " + text.Trim().ReplaceLineEndings(" "));
        (exitCode, text) = await PrometheusServer.PromtoolAsync("", "check", "config", "--syntax-only", RepositoryFiles.Path("config", "prometheus.yml"));
        Assert.True(exitCode == 0, text);

        await using ScrapedLoad load = await ScrapedLoad.StartAsync();
        BrokerMetrics page = await BrokerMetrics.ReadAsync(load.Broker.Http);
        for (DateTime end = DateTime.UtcNow + Patience; page.Sum("danube_sub_redelivery_total") == 0 && DateTime.UtcNow < end; page = await BrokerMetrics.ReadAsync(load.Broker.Http))
        {
            await Task.Delay(200);
        }

        (exitCode, text) = await PrometheusServer.PromtoolAsync(page.Text, "check", "metrics");
        string[] lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        string[] units = [.. lines.Where(l => IsAdviceAboutMilliseconds(l) || IsAdviceAboutCounts(l))];
        Assert.True(lines.Length == units.Length, string.Join('\n', lines.Except(units)));
        Assert.True(exitCode is 0 or 3, text);
        Say($"promtool check metrics: {page.Text.Split('\n').Count(l => l.StartsWith("# TYPE ", StringComparison.Ordinal))} families, advice about names of the contract only ({units.Length} lines: milliseconds, gauges named _count)");
    }

    /// <summary>The names are the contract: latencies are in milliseconds.</summary>
    private static bool IsAdviceAboutMilliseconds(string line) =>
        line.Split(' ')[0].EndsWith("_ms", StringComparison.Ordinal)
        && (line.Contains("milliseconds", StringComparison.Ordinal) || line.Contains("abbreviated units", StringComparison.Ordinal));

    /// <summary>Gauges of the load manager whose names in the contract end like a part of a histogram.</summary>
    private static bool IsAdviceAboutCounts(string line) =>
        line.Split(' ')[0] is "danube_broker_topic_count" or "danube_cluster_broker_count" or "danube_cluster_topic_count"
        && line.Contains("\"_count\" suffix", StringComparison.Ordinal);

    private void Say(string line)
    {
        output.WriteLine(line);
        LongMode.Report("Prometheus", line);
    }
}
