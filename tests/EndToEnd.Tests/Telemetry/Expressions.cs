using System.Text.Json;
using System.Text.RegularExpressions;
using YamlDotNet.RepresentationModel;

namespace Danube.Fast.EndToEnd.Tests.Telemetry;

/// <summary>An expression of a dashboard's panel or of an alert.</summary>
/// <param name="Place">File and panel, or name of the alert.</param>
/// <param name="Text">As it stands there.</param>
internal sealed partial record Expression(string Place, string Text)
{
    /// <summary>Names of metric families in it, without what Prometheus appends to those of histograms.</summary>
    public IEnumerable<string> Families => Name().Matches(Text).Select(m => Suffix().Replace(m.Value, "")).Distinct();

    /// <summary>Files of grafana/.</summary>
    public static IEnumerable<string> Dashboards => Directory.EnumerateFiles(RepositoryFiles.Path("grafana"), "*.json").Order();

    public static string AlertFile => RepositoryFiles.Path("config", "danube_alerts.yml");

    public static IReadOnlyList<Expression> OfDashboards()
    {
        var found = new List<Expression>();
        foreach (string file in Dashboards)
        {
            using JsonDocument dashboard = JsonDocument.Parse(File.ReadAllText(file));
            foreach (JsonElement panel in dashboard.RootElement.GetProperty("panels").EnumerateArray().Where(p => p.TryGetProperty("targets", out _)))
            {
                string place = $"{Path.GetFileName(file)}, {panel.GetProperty("title").GetString()}";
                found.AddRange(panel.GetProperty("targets").EnumerateArray().Select(t => new Expression(place, t.GetProperty("expr").GetString()!)));
            }
        }

        return found;
    }

    public static IReadOnlyList<Expression> OfAlerts()
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(File.ReadAllText(AlertFile)));
        return
        [
            .. ((YamlSequenceNode)stream.Documents[0].RootNode["groups"]).SelectMany(g => (YamlSequenceNode)g["rules"])
                .Select(r => new Expression(((YamlScalarNode)r["alert"]).Value!, ((YamlScalarNode)r["expr"]).Value!)),
        ];
    }

    /// <summary>What can be asked: variables of dashboards stand for everything, ranges are short, and limits of alerts are gone, so that the figure itself is seen.</summary>
    public string ToQuery() =>
        Limit().Replace(Variable().Replace(Text.Replace("$__rate_interval", "20s", StringComparison.Ordinal), ".*"), "");

    [GeneratedRegex(@"\bdanube_[a-z_]+")]
    private static partial Regex Name();

    [GeneratedRegex("_(bucket|sum)$")]
    private static partial Regex Suffix();

    [GeneratedRegex(@"\$[a-z]+")]
    private static partial Regex Variable();

    [GeneratedRegex(@"\s(?:>|<|>=|<=|==|!=)\s-?[0-9.]+")]
    private static partial Regex Limit();
}
