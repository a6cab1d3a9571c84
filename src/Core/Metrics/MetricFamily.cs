using System.Text;

namespace Danube.Fast.Core;

/// <summary>Kinds of metric families, as Prometheus names them.</summary>
public enum MetricKind
{
    /// <summary>Only grows while its series lives. The name ends with <c>_total</c>.</summary>
    Counter = 0,

    /// <summary>Goes up and down.</summary>
    Gauge = 1,

    /// <summary>Counts by size: see <see cref="MetricHistogram"/>.</summary>
    Histogram = 2,
}

/// <summary>Reads the samples of one family. Runs on: whoever takes the reading; disturbs nobody.</summary>
/// <param name="reading">What several families share, and which topics are asked for.</param>
/// <param name="sink">Takes the samples. Label sets have the label names of the family.</param>
public delegate void MetricReader(MetricReading reading, IMetricSink sink);

/// <summary>A metric with its name, type, help and label names, and a reader of its samples. Made by <see cref="MetricRegistry"/>.</summary>
public sealed class MetricFamily
{
    private readonly MetricReader _read;

    internal MetricFamily(string part, MetricKind kind, string name, string help, string[] labels, MetricReader read)
    {
        Part = part;
        Kind = kind;
        Name = name;
        Help = help;
        Labels = labels;
        _read = read;
        NameUtf8 = Encoding.UTF8.GetBytes(name);
        HelpUtf8 = Encoding.UTF8.GetBytes(help);
        IsPerTopic = Array.IndexOf(labels, "topic") >= 0;
    }

    /// <summary>The part of the broker that it belongs to, a word such as <c>wal</c>.</summary>
    public string Part { get; }

    public MetricKind Kind { get; }

    /// <summary>With the suffix <c>_total</c> of counters.</summary>
    public string Name { get; }

    /// <summary>One sentence, without line feeds and backslashes.</summary>
    public string Help { get; }

    /// <summary>Names of the labels that every sample has, in order; a histogram's <c>le</c> is not among them.</summary>
    public IReadOnlyList<string> Labels { get; }

    /// <summary>It has a label <c>topic</c>: its series come and go with topics.</summary>
    public bool IsPerTopic { get; }

    /// <summary><see cref="Name"/>, encoded once.</summary>
    public ReadOnlyMemory<byte> NameUtf8 { get; }

    /// <summary><see cref="Help"/>, encoded once.</summary>
    public ReadOnlyMemory<byte> HelpUtf8 { get; }

    /// <summary>Gives all samples there are now to a sink.</summary>
    public void Read(MetricReading reading, IMetricSink sink) => _read(reading, sink);
}
