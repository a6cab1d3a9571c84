using System.Text.RegularExpressions;
using Danube.Fast.Server.Configuration;

namespace Danube.Fast.Server.Tests;

/// <summary>docs/operations.md names every key and every metric, and none that does not exist.</summary>
public sealed partial class OperationsPageTests
{
    private static readonly string Page = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "operations.md"));

    [Fact]
    public void Every_key_is_on_the_page()
    {
        HashSet<string> documented = [.. KeyRow().Matches(Section("Configuration", "HTTP endpoints")).Select(m => m.Groups[1].Value)];
        Assert.Equal(ConfigSchema.Keys.Select(k => k.Path).Order(), documented.Order());
    }

    [Fact]
    public async Task Every_metric_is_on_the_page()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using HttpClient http = broker.Http();
        string text = await http.GetStringAsync("/metrics");
        string[] families = [.. text.Split('\n').Where(l => l.StartsWith("# TYPE ", StringComparison.Ordinal)).Select(l => l.Split(' ')[2])];
        HashSet<string> documented = [.. Family().Matches(Section("Metrics", "Logs")).Select(m => m.Groups[1].Value)];
        Assert.Equal(families.Order(), documented.Order());
    }

    private static string Section(string from, string to) =>
        Page[Page.IndexOf("## " + from, StringComparison.Ordinal)..Page.IndexOf("## " + to, StringComparison.Ordinal)];

    [GeneratedRegex(@"^\| `([a-z_]+(?:\.[a-z_]+)*)` \|", RegexOptions.Multiline)]
    private static partial Regex KeyRow();

    [GeneratedRegex("`((?:danube|dotnet|process)_[a-z_]+)`")]
    private static partial Regex Family();
}
