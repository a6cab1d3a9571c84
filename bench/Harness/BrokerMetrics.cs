using System.Globalization;

namespace Danube.Fast.Harness;

/// <summary>One scrape of <c>/metrics</c>: series name with labels -> value.</summary>
public sealed class BrokerMetrics
{
    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(30) };

    private readonly Dictionary<string, double> _series = new(StringComparer.Ordinal);

    /// <summary>The text as it came.</summary>
    public string Text { get; private init; } = "";

    /// <summary>Reads <c>http://<paramref name="address"/>/metrics</c>.</summary>
    public static async Task<BrokerMetrics> ReadAsync(string address, CancellationToken cancellation = default) =>
        Parse(await Http.GetStringAsync($"http://{address}/metrics", cancellation));

    public static BrokerMetrics Parse(string text)
    {
        var metrics = new BrokerMetrics { Text = text };
        foreach (string line in text.Split('\n'))
        {
            int end = line.LastIndexOf('}');
            int space = line.IndexOf(' ', Math.Max(0, end));
            if (line.StartsWith('#') || space < 0)
            {
                continue;
            }

            string value = line[(space + 1)..].Trim().Split(' ')[0];
            if (double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out double number))
            {
                metrics._series[line[..space]] = number;
            }
        }

        return metrics;
    }

    /// <summary>Sum over all series of the metric whose label text contains each of <paramref name="labels"/>.</summary>
    /// <exception cref="KeyNotFoundException">The broker has no such metric.</exception>
    public double Sum(string name, params string[] labels) =>
        Find(name, labels) ?? throw new KeyNotFoundException($"/metrics has no series {name} with '{string.Join("' and '", labels)}'.");

    /// <summary>The same; null when there is no such series.</summary>
    public double? Find(string name, params string[] labels)
    {
        double sum = 0;
        bool found = false;
        foreach ((string series, double value) in _series)
        {
            bool isName = series == name || series.StartsWith(name + "{", StringComparison.Ordinal);
            if (isName && Array.TrueForAll(labels, l => series.Contains(l, StringComparison.Ordinal)))
            {
                found = true;
                sum += value;
            }
        }

        return found ? sum : null;
    }

    /// <summary>Processor time the broker has used since its start, seconds.</summary>
    public double CpuSeconds => Sum("process_cpu_seconds_total");

    /// <summary>Bytes the broker has allocated on the managed heap since its start.</summary>
    public double AllocatedBytes => Sum("dotnet_gc_allocated_bytes_total");
}
