using System.Globalization;

namespace Danube.Fast.Cli.Demo;

/// <summary>
/// Bytes that the broker allocates per message, from its <c>/metrics</c>: read twice while messages flow, less what a reading itself
/// allocates (measured on the idle broker).
/// </summary>
internal sealed class AllocationProbe(HttpClient http, Uri broker, Func<long> messages)
{
    private const string Metric = "dotnet_gc_allocated_bytes_total";

    // Below it what the broker allocates per second, not per message, is all that shows.
    private const long FewestMessages = 50_000;

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(10);

    private double _perReading;

    /// <summary>Learns what a reading costs. The first ones pay for compilation, the last one counts.</summary>
    public async Task CalibrateAsync(CancellationToken cancellationToken)
    {
        for (int i = 0; i < 20; i++)
        {
            double before = await ReadAsync(cancellationToken);
            _perReading = await ReadAsync(cancellationToken) - before;
        }
    }

    /// <summary>Waits until the steady part of a run of <paramref name="total"/> messages begins, and measures it.</summary>
    /// <returns>Bytes per message and the messages measured; null when the run was over too soon.</returns>
    public async Task<(double BytesPerMessage, long Messages)?> MeasureAsync(long total, CancellationToken cancellationToken)
    {
        await ReachAsync(total / 5, cancellationToken);
        (double bytes, long count) first = (await ReadAsync(cancellationToken), messages());
        await ReachAsync(total * 9 / 10, cancellationToken);
        long count = messages() - first.count;
        double bytes = await ReadAsync(cancellationToken) - first.bytes - _perReading;
        return count >= Math.Max(total / 4, FewestMessages) ? (Math.Max(0, bytes) / count, count) : null;
    }

    /// <summary>Reads the value of the metric from a text in Prometheus' format; null when it is not there.</summary>
    internal static double? Find(string text)
    {
        foreach (string line in text.Split('\n'))
        {
            if (line.StartsWith(Metric, StringComparison.Ordinal) && line.Length > Metric.Length && line[Metric.Length] is ' ' or '{')
            {
                return double.Parse(line.AsSpan(line.LastIndexOf(' ') + 1), NumberStyles.Float, CultureInfo.InvariantCulture);
            }
        }

        return null;
    }

    private async Task ReachAsync(long target, CancellationToken cancellationToken)
    {
        while (messages() < target)
        {
            await Task.Delay(Interval, cancellationToken);
        }
    }

    private async Task<double> ReadAsync(CancellationToken cancellationToken) =>
        Find(await http.GetStringAsync(new Uri(broker, "metrics"), cancellationToken))
        ?? throw new InvalidDataException($"The broker's metrics lack {Metric}.");
}
