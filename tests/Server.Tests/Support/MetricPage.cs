using System.Globalization;
using System.Text;

namespace Danube.Fast.Server.Tests;

/// <summary>One sample of a page: its name, its labels, its value, and what stands behind it (an exemplar).</summary>
internal sealed record PageSample(string Name, Dictionary<string, string> Labels, double Value, string Exemplar);

/// <summary>One family of a page with its samples in order.</summary>
internal sealed record PageFamily(string Name, string Type, string Help, List<PageSample> Samples);

/// <summary>A page of metrics, read as a scraper does: each family once, HELP and TYPE before its samples, no series twice.</summary>
internal sealed class MetricPage
{
    private static readonly string[] Suffixes = ["", "_total", "_bucket", "_sum", "_count"];

    private readonly HashSet<string> _series = [];

    public List<PageFamily> Families { get; } = [];

    /// <summary>The last line was <c># EOF</c>.</summary>
    public bool HasEnd { get; private set; }

    public static async Task<MetricPage> ReadAsync(HttpClient http, string path = "/metrics") => Parse(await http.GetStringAsync(path));

    public static MetricPage Parse(string text)
    {
        Assert.EndsWith("\n", text);
        var page = new MetricPage();
        foreach (string line in text[..^1].Split('\n'))
        {
            Assert.False(page.HasEnd, "Something follows the end.");
            page.Take(line);
        }

        return page;
    }

    public PageFamily this[string family] => Families.Find(f => f.Name == family) ?? throw new KeyNotFoundException($"The page has no family {family}.");

    /// <summary>The sum of a counter's, a gauge's or a histogram's (with suffix) samples that have all of the labels.</summary>
    public double Sum(string name, params (string Label, string Value)[] labels) => Families.SelectMany(f => f.Samples)
        .Where(s => s.Name == name && labels.All(l => s.Labels.GetValueOrDefault(l.Label) == l.Value))
        .Sum(s => s.Value);

    private void Take(string line)
    {
        if (line == "# EOF")
        {
            HasEnd = true;
            return;
        }

        string[] words = line.Split(' ', 4);
        if (line.StartsWith("# HELP ", StringComparison.Ordinal))
        {
            Assert.DoesNotContain(Families, f => f.Name == words[2]);
            Families.Add(new PageFamily(words[2], "", words[3], []));
        }
        else if (line.StartsWith("# TYPE ", StringComparison.Ordinal))
        {
            Assert.Equal(Families[^1].Name, words[2]);
            Families[^1] = Families[^1] with { Type = words[3] };
        }
        else
        {
            TakeSample(line);
        }
    }

    private void TakeSample(string line)
    {
        int at = line.IndexOfAny(['{', ' ']);
        string name = line[..at];
        var labels = new Dictionary<string, string>();
        if (line[at] == '{')
        {
            at = ReadLabels(line, at + 1, labels);
        }

        string[] rest = line[(at + 1)..].Split(" # ", 2);
        PageFamily family = Families[^1];
        Assert.Contains(Suffixes, s => name == family.Name + s);
        Assert.True(_series.Add(name + "|" + string.Join('|', labels.OrderBy(l => l.Key, StringComparer.Ordinal))), $"Twice: {line}");
        family.Samples.Add(new PageSample(name, labels, rest[0] == "+Inf" ? double.PositiveInfinity : double.Parse(rest[0], CultureInfo.InvariantCulture), rest.ElementAtOrDefault(1) ?? ""));
    }

    // Returns where the blank behind the labels stands.
    private static int ReadLabels(string line, int at, Dictionary<string, string> labels)
    {
        while (line[at] != '}')
        {
            int equals = line.IndexOf('=', at);
            Assert.Equal(labels.Count > 0, line[at] == ',');
            string name = line[at..equals].TrimStart(',');
            Assert.Equal('"', line[equals + 1]);
            var value = new StringBuilder();
            for (at = equals + 2; line[at] != '"'; at++)
            {
                value.Append(line[at] != '\\' ? line[at] : line[++at] == 'n' ? '\n' : line[at]);
            }

            labels.Add(name, value.ToString());
            at++;
        }

        return at + 1;
    }
}
