using System.Text.Json;

namespace Danube.Fast.EndToEnd.Tests.Telemetry;

/// <summary>The files of grafana/ are what Grafana's importer takes, and name nothing of one installation.</summary>
public sealed class DashboardTests
{
    private const int Columns = 24, OldestSchema = 36;

    public static TheoryData<string> Files => [.. Expression.Dashboards.Select(f => Path.GetFileName(f))];

    [Theory]
    [MemberData(nameof(Files))]
    public void A_dashboard_can_be_imported(string file)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllText(RepositoryFiles.Path("grafana", file)));
        JsonElement root = document.RootElement;
        Assert.Equal(JsonValueKind.Null, root.GetProperty("id").ValueKind);
        Assert.Matches("^[a-z-]{1,40}$", Text(root, "uid"));
        Assert.NotEmpty(Text(root, "title"));
        Assert.True(root.GetProperty("schemaVersion").GetInt32() >= OldestSchema);
        Assert.Equal(("now-1h", "now"), (Text(root.GetProperty("time"), "from"), Text(root.GetProperty("time"), "to")));

        JsonElement[] variables = [.. root.GetProperty("templating").GetProperty("list").EnumerateArray()];
        JsonElement source = Assert.Single(variables, v => Text(v, "type") == "datasource");
        Assert.Equal(("datasource", "prometheus"), (Text(source, "name"), Text(source, "query")));
        Assert.All(variables.Where(v => Text(v, "type") == "query"), v => AssertSource(v));

        JsonElement[] panels = [.. root.GetProperty("panels").EnumerateArray()];
        Assert.NotEmpty(panels);
        Assert.Equal(panels.Length, panels.Select(p => p.GetProperty("id").GetInt32()).Distinct().Count());
        Assert.Equal(panels.Length, panels.Select(p => Text(p, "title")).Distinct().Count());
        AssertGrid(panels);
        HashSet<string> names = [.. variables.Select(v => Text(v, "name")), "__rate_interval"];
        foreach (JsonElement panel in panels.Where(p => Text(p, "type") != "row"))
        {
            AssertSource(panel);
            JsonElement[] targets = [.. panel.GetProperty("targets").EnumerateArray()];
            Assert.NotEmpty(targets);
            Assert.Equal(targets.Length, targets.Select(t => Text(t, "refId")).Distinct().Count());
            Assert.All(targets, AssertSource);
            Assert.All(targets.SelectMany(t => Variables(Text(t, "expr"))), v => Assert.Contains(v, names));
            Assert.NotEmpty(Text(panel.GetProperty("fieldConfig").GetProperty("defaults"), "unit"));
        }
    }

    [Fact]
    public void Every_name_is_one_of_the_contract()
    {
        HashSet<string> contract = Contract();
        string[] strangers = [.. Expression.OfDashboards().SelectMany(e => e.Families.Where(f => !contract.Contains(f)).Select(f => $"{e.Place}: {f}"))];
        Assert.Empty(strangers);

        // And the other way: no figure of the contract is without a panel.
        Assert.Empty(contract.Except(Expression.OfDashboards().SelectMany(e => e.Families)));
    }

    [Fact]
    public void The_list_of_parts_to_come_names_only_what_is_used()
    {
        HashSet<string> used = [.. Expression.OfDashboards().Concat(Expression.OfAlerts()).SelectMany(e => e.Families)];
        Assert.Empty(PartsToCome.Families.Keys.Except(used));
    }

    [Fact]
    public void The_dashboard_of_the_load_manager_has_the_panels_of_the_specification()
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllText(RepositoryFiles.Path("grafana", "load_manager_dashboard.json")));
        Assert.Equal("Danube LoadManager", Text(document.RootElement, "title"));
        Dictionary<string, string> panels = document.RootElement.GetProperty("panels").EnumerateArray().Where(p => p.TryGetProperty("targets", out _))
            .ToDictionary(p => Text(p, "title"), p => Text(p.GetProperty("targets")[0], "expr"));
        Assert.Equal("danube_cluster_imbalance", panels["Cluster Imbalance"]);
        Assert.Equal("danube_broker_load_score", panels["Broker Load Distribution"]);
        Assert.Equal("rate(danube_rebalancing_moves_total[5m])", panels["Rebalancing Activity"]);
        Assert.Equal("rate(danube_load_manager_assignments_total[5m])", panels["Topic Assignment Rate"]);
    }

    private static HashSet<string> Contract()
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllText(RepositoryFiles.Path("tests", "Server.Tests", "Metrics", "metrics.json")));
        return [.. new[] { "counters", "gauges", "histograms" }.SelectMany(kind => document.RootElement.GetProperty(kind).EnumerateObject().Select(f => f.Name))];
    }

    private static void AssertSource(JsonElement element)
    {
        JsonElement source = element.GetProperty("datasource");
        Assert.Equal(("prometheus", "${datasource}"), (Text(source, "type"), Text(source, "uid")));
    }

    /// <summary>Inside of the 24 columns, and none on another.</summary>
    private static void AssertGrid(JsonElement[] panels)
    {
        var taken = new HashSet<(int, int)>();
        foreach (JsonElement panel in panels)
        {
            JsonElement place = panel.GetProperty("gridPos");
            (int x, int y, int w, int h) = (place.GetProperty("x").GetInt32(), place.GetProperty("y").GetInt32(), place.GetProperty("w").GetInt32(), place.GetProperty("h").GetInt32());
            Assert.True(x >= 0 && y >= 0 && w > 0 && h > 0 && x + w <= Columns, Text(panel, "title"));
            for (int cell = 0; cell < w * h; cell++)
            {
                Assert.True(taken.Add((x + (cell % w), y + (cell / w))), Text(panel, "title") + " lies on another panel");
            }
        }
    }

    private static IEnumerable<string> Variables(string expression) =>
        System.Text.RegularExpressions.Regex.Matches(expression, @"\$(\w+)").Select(m => m.Groups[1].Value);

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;
}
