namespace Danube.Fast.Core;

/// <summary>
/// The metric families of a broker. Each part registers its own when it starts; the pages of the HTTP port, the mirror in
/// <c>System.Diagnostics.Metrics</c> and the tests read them here, so that all show the same.
/// Runs on: registering at the start, reading on any thread, several at once.
/// </summary>
public sealed class MetricRegistry
{
    private readonly Lock _lock = new();
    private volatile MetricFamily[] _families = [];

    /// <summary>All families in the order of their registration, a snapshot.</summary>
    public IReadOnlyList<MetricFamily> Families => _families;

    /// <summary>Registers a counter; its name ends with <c>_total</c>.</summary>
    /// <param name="part">The part of the broker that it belongs to.</param>
    /// <param name="name">Name of the family.</param>
    /// <param name="help">One sentence.</param>
    /// <param name="labels">Names of its labels.</param>
    /// <param name="read">Reads its samples.</param>
    /// <exception cref="ArgumentException">The name is taken, or no name for a counter.</exception>
    public MetricFamily Counter(string part, string name, string help, string[] labels, MetricReader read)
    {
        if (!name.EndsWith("_total", StringComparison.Ordinal))
        {
            throw new ArgumentException($"{name} is a counter: its name ends with _total.", nameof(name));
        }

        return Add(new MetricFamily(part, MetricKind.Counter, name, help, labels, read));
    }

    /// <summary>Registers a gauge.</summary>
    /// <inheritdoc cref="Counter"/>
    public MetricFamily Gauge(string part, string name, string help, string[] labels, MetricReader read) =>
        Add(new MetricFamily(part, MetricKind.Gauge, name, help, labels, read));

    /// <summary>Registers a histogram.</summary>
    /// <inheritdoc cref="Counter"/>
    public MetricFamily Histogram(string part, string name, string help, string[] labels, MetricReader read) =>
        Add(new MetricFamily(part, MetricKind.Histogram, name, help, labels, read));

    private MetricFamily Add(MetricFamily family)
    {
        lock (_lock)
        {
            if (Array.Exists(_families, f => f.Name == family.Name))
            {
                throw new ArgumentException($"The metric family {family.Name} is registered already.", nameof(family));
            }

            _families = [.. _families, family];
            return family;
        }
    }
}
