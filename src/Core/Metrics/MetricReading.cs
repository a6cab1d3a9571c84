namespace Danube.Fast.Core;

/// <summary>
/// One reading of the registry, or of a part of it: what several families look at is taken once and shared. Not thread-safe; made for one
/// scrape and thrown away. Runs on: whoever takes the reading.
/// </summary>
public sealed class MetricReading
{
    private readonly Dictionary<object, object> _shared = new(ReferenceEqualityComparer.Instance);

    /// <param name="topic">Only series of this topic, in full; null = all, within the limit of series.</param>
    public MetricReading(string? topic = null) => Topic = topic;

    /// <summary>The one topic asked for, by its whole name; null = all.</summary>
    public string? Topic { get; }

    /// <summary>What <paramref name="take"/> gave the first time in this reading.</summary>
    /// <param name="part">Whose it is: the key.</param>
    /// <param name="take">Takes it.</param>
    public T Share<T>(object part, Func<MetricReading, T> take)
        where T : class
    {
        if (!_shared.TryGetValue(part, out object? taken))
        {
            _shared[part] = taken = take(this);
        }

        return (T)taken;
    }
}
