namespace Danube.Fast.Core;

/// <summary>Takes the samples of one family after the other: a page's writer, a mirror, a test. Runs on: whoever takes the reading.</summary>
public interface IMetricSink
{
    /// <summary>A counter or a gauge that counts whole things.</summary>
    void Sample(LabelSet labels, long value);

    /// <summary>A counter or a gauge of seconds, ratios and the like.</summary>
    void Sample(LabelSet labels, double value);

    /// <summary>A histogram; it goes on counting while it is read.</summary>
    void Sample(LabelSet labels, MetricHistogram histogram);
}
