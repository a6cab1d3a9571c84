using System.Collections.Concurrent;
using Danube.Fast.Core;
using Danube.Fast.Server.Load;

namespace Danube.Fast.Server.Metrics;

/// <summary>How long requests to the metadata store took, by operation and result. Runs on: whoever asks the store. Shared with: metrics.</summary>
internal sealed class MetadataFigures
{
    private static readonly string[] LabelNames = ["op", "result"];

    private readonly ConcurrentDictionary<(string Op, string Result), (LabelSet Labels, MetricHistogram Latency)> _latencies = new();

    /// <summary>Notes a request.</summary>
    /// <param name="op">The operation, a word.</param>
    /// <param name="isOk">The store answered; that a condition did not hold is an answer, too.</param>
    /// <param name="took">From the call to the answer.</param>
    public void Record(string op, bool isOk, TimeSpan took) => _latencies.GetOrAdd(
        (op, isOk ? Labels.Ok : Labels.Error),
        static k => (new LabelSet(LabelNames, k.Op, k.Result), new MetricHistogram(HistogramScale.LatencyMs))).Latency.RecordShared((long)took.TotalNanoseconds);

    /// <summary>Registers the families of the store.</summary>
    /// <param name="registry">The broker's.</param>
    /// <param name="load">Knows the picture of the store, and what it said of its size.</param>
    public void Register(MetricRegistry registry, LoadService load)
    {
        registry.Histogram("metadata", "danube_metadata_request_latency_ms", "Time that requests to the metadata store took.", LabelNames, (_, sink) =>
        {
            foreach ((LabelSet labels, MetricHistogram latency) in _latencies.Values)
            {
                sink.Sample(labels, latency);
            }
        });
        registry.Gauge("metadata", "danube_metadata_watch_age_seconds", "Time since the store last said anything to this broker's picture of it.", Labels.None, (_, sink) => Known(sink, load.Source.ViewAge?.TotalSeconds));
        registry.Gauge("metadata", "danube_metadata_db_bytes", "Size of the metadata store's database.", Labels.None, (_, sink) => Known(sink, load.Store?.DbBytes));
        registry.Gauge("metadata", "danube_metadata_quota_bytes", "What the database may grow to before etcd refuses writes.", Labels.None, (_, sink) => Known(sink, load.Store?.QuotaBytes));
    }

    private static void Known(IMetricSink sink, double? value)
    {
        if (value is { } known)
        {
            sink.Sample(LabelSet.None, known);
        }
    }
}
