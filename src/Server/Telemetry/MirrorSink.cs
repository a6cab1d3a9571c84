using System.Diagnostics.Metrics;
using Danube.Fast.Core;
using Danube.Fast.Server.Metrics;

namespace Danube.Fast.Server.Telemetry;

/// <summary>What a reading gave for one family, as measurements. Under the mirror's lock.</summary>
internal sealed class MirrorSink : IMetricSink
{
    private const string BoundTag = "le";

    /// <summary>Values of a counter or gauge; of a histogram the counts.</summary>
    public List<Measurement<double>> Values { get; } = [];

    /// <summary>Sums of a histogram.</summary>
    public List<Measurement<double>> Sums { get; } = [];

    /// <summary>Its buckets with the tag <c>le</c>, each with all below it.</summary>
    public List<Measurement<double>> Buckets { get; } = [];

    public void Clear()
    {
        Values.Clear();
        Sums.Clear();
        Buckets.Clear();
    }

    public void Sample(LabelSet labels, long value) => Values.Add(new Measurement<double>(value, labels.Tags));

    public void Sample(LabelSet labels, double value) => Values.Add(new Measurement<double>(value, labels.Tags));

    /// <summary>As on the page, nothing before the first value.</summary>
    public void Sample(LabelSet labels, MetricHistogram histogram)
    {
        if (histogram.Count == 0)
        {
            return;
        }

        HistogramScale scale = histogram.Scale;
        long count = 0;
        for (int i = 0; i < scale.Buckets; i++)
        {
            count += histogram[i];
            string bound = i < scale.Bounds.Count ? BucketLabels.Text(scale.Bounds[i]) : "+Inf";
            Buckets.Add(new Measurement<double>(count, [.. labels.Tags, new KeyValuePair<string, object?>(BoundTag, bound)]));
        }

        Sums.Add(new Measurement<double>(histogram.Sum, labels.Tags));
        Values.Add(new Measurement<double>(count, labels.Tags));
    }
}
