using System.Text.RegularExpressions;
using System.Xml.Linq;
using Danube.Fast.LoadTests.Engine;
using Danube.Fast.LoadTests.Reports;
using Danube.Fast.LoadTests.Runs;

namespace Danube.Fast.LoadTests.Tests;

public sealed class HtmlReportTests
{
    [Theory(Timeout = 300_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_page_is_well_formed_and_needs_nothing_else(bool isBad)
    {
        string html = HtmlReport.Of(await SampleRun.CreateAsync(isBad));
        XElement page = Parse(html);

        // Nothing that a browser would fetch, and nothing that runs.
        string[] loading = ["script", "link", "img", "iframe", "object", "embed", "image", "use", "base", "audio", "video"];
        Assert.DoesNotContain(page.Descendants(), e => loading.Contains(e.Name.LocalName));
        Assert.DoesNotContain(page.Descendants().Attributes(), a => a.Name.LocalName is "src" or "href" or "action" || a.Name.LocalName.StartsWith("on", StringComparison.Ordinal));
        Assert.DoesNotMatch(new Regex("url\\(|@import|https?://"), html);
    }

    [Fact(Timeout = 300_000)]
    public async Task The_page_shows_charts_tables_audit_thresholds_and_environment()
    {
        XElement page = Parse(HtmlReport.Of(await SampleRun.CreateAsync()));
        string[] charts = [.. page.Descendants("figcaption").Select(f => f.Nodes().OfType<XText>().First().Value.Trim())];
        Assert.Equal(["Throughput", "Latency distribution", "Latency of publish", "Latency of end-to-end <x>", "Memory of the broker", "Processors used by the broker"], charts);
        Assert.All(page.Descendants("svg"), svg => Assert.Contains(svg.Descendants(), e => e.Name.LocalName is "polyline" or "circle"));
        Assert.Equal(["Charts", "Steps", "Errors", "Thresholds", "Audit", "Settings", "Environment"], page.Descendants("h2").Select(h => h.Value));
        string text = page.Value;
        foreach (string expected in new[] { "PASSED", SampleRun.Awkward, "abc123-dirty", "host <1>", "not judged: too short", "5 (allowed)", "not ordered", "20 " })
        {
            Assert.Contains(expected.Trim(), text, StringComparison.Ordinal);
        }
    }

    [Fact(Timeout = 300_000)]
    public async Task What_is_wrong_is_said_first()
    {
        RunReport run = await SampleRun.CreateAsync(isBad: true);
        XElement page = Parse(HtmlReport.Of(run));
        Assert.Equal("FAILED", run.Verdict);
        string faults = page.Descendants("div").First(d => (string?)d.Attribute("class") == "faults").Value;
        Assert.Contains("threshold broken: hopeless <= 0 ms (measured: 5 ms)", faults, StringComparison.Ordinal);
        Assert.Contains("lost: " + SampleRun.Awkward, faults, StringComparison.Ordinal);
        Assert.Contains("FAULTS", page.Value, StringComparison.Ordinal);
    }

    [Fact(Timeout = 300_000)]
    public async Task Every_coordinate_is_inside_its_chart()
    {
        XElement page = Parse(HtmlReport.Of(await SampleRun.CreateAsync()));
        foreach (XElement line in page.Descendants("polyline"))
        {
            double[] numbers = [.. line.Attribute("points")!.Value.Split(' ', ',').Select(n => double.Parse(n, System.Globalization.CultureInfo.InvariantCulture))];
            Assert.All(numbers.Where((_, i) => i % 2 == 0), x => Assert.InRange(x, 0, 560));
            Assert.All(numbers.Where((_, i) => i % 2 == 1), y => Assert.InRange(y, 0, 250));
        }
    }

    [Fact(Timeout = 300_000)]
    public async Task A_run_that_measured_nothing_still_makes_a_page()
    {
        RunReport run = await SampleRun.CreateAsync();
        ScenarioStats empty = new ScenarioRecorder("sample", TimeProvider.System).ToStats(TimeSpan.Zero);
        Assert.Contains("PASSED", Parse(HtmlReport.Of(run with { Stats = empty, Broker = [] })).Value, StringComparison.Ordinal);
    }

    private static XElement Parse(string html)
    {
        Assert.StartsWith("<!DOCTYPE html>\n", html, StringComparison.Ordinal);
        return XElement.Parse(html["<!DOCTYPE html>\n".Length..]);
    }
}
