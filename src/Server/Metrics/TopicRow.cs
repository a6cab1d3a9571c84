using Danube.Fast.Core;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Metrics;

/// <summary>One reading of one topic, or the sum of several.</summary>
internal sealed class TopicRow(TopicSeries series)
{
    public TopicSeries Series { get; } = series;

    /// <summary>Whether labels of reliability are true of all that is summed here.</summary>
    public bool IsReliable { get; init; }

    /// <summary>False for sums: there is no class of all of them.</summary>
    public bool IsTopic { get; init; }

    public TopicCountersSnapshot Counters { get; set; }
    public long Producers { get; set; }
    public long SubscriptionCount { get; set; }
    public long SizeBytes { get; set; }
    public long ProducersForgotten { get; set; }
    public MetricHistogram? SendLatency { get; set; }
    public Dictionary<ErrorCode, long> Refusals { get; } = [];

    /// <summary>Null for topics in memory.</summary>
    public LogRow? Log { get; set; }

    public List<SubscriptionRow> Subscriptions { get; } = [];

    public void Add(TopicRow other)
    {
        Counters += other.Counters;
        Producers += other.Producers;
        SubscriptionCount += other.SubscriptionCount;
        SizeBytes += other.SizeBytes;
        ProducersForgotten += other.ProducersForgotten;
        SendLatency = HistogramSum.Add(SendLatency, other.SendLatency);
        foreach ((ErrorCode code, long count) in other.Refusals)
        {
            Refusals[code] = Refusals.GetValueOrDefault(code) + count;
        }

        if (other.Log is { } log)
        {
            Log ??= new LogRow();
            Log.Add(log);
        }
    }
}

/// <summary>One reading of one log on disk, or the sum of several.</summary>
internal sealed class LogRow
{
    public long Frames { get; set; }
    public long Bytes { get; set; }
    public long CacheHits { get; set; }
    public long CacheMisses { get; set; }
    public long[] Rotations { get; } = new long[3];
    public long[] Deletions { get; } = new long[2];
    public long[] Starts { get; } = new long[4];
    public MetricHistogram? AppendLatency { get; set; }
    public MetricHistogram? ReadLatency { get; set; }

    public void Add(LogRow other)
    {
        Frames += other.Frames;
        Bytes += other.Bytes;
        CacheHits += other.CacheHits;
        CacheMisses += other.CacheMisses;
        Sum(Rotations, other.Rotations);
        Sum(Deletions, other.Deletions);
        Sum(Starts, other.Starts);
        AppendLatency = HistogramSum.Add(AppendLatency, other.AppendLatency);
        ReadLatency = HistogramSum.Add(ReadLatency, other.ReadLatency);
    }

    private static void Sum(long[] to, long[] more)
    {
        for (int i = 0; i < to.Length; i++)
        {
            to[i] += more[i];
        }
    }
}

/// <summary>One reading of one subscription, or the sum of several.</summary>
internal sealed class SubscriptionRow(SubscriptionSeries series, TopicRow topic)
{
    public SubscriptionSeries Series { get; } = series;
    public TopicRow Topic { get; } = topic;
    public SubscriptionFigures Figures { get; set; }
    public long Delivered { get; set; }
    public long PassedOver { get; set; }
    public long Acknowledged { get; set; }
    public long AcksRefused { get; set; }
    public long[] Returned { get; } = new long[3];
    public MetricHistogram? DispatchLatency { get; set; }
    public MetricHistogram? CommitLatency { get; set; }

    public void Add(SubscriptionRow other)
    {
        Figures = new SubscriptionFigures
        {
            Consumers = Figures.Consumers + other.Figures.Consumers,
            Unacknowledged = Figures.Unacknowledged + other.Figures.Unacknowledged,
            Pending = Figures.Pending + other.Figures.Pending,
            Lag = Figures.Lag + other.Figures.Lag,
            Enqueued = Figures.Enqueued + other.Figures.Enqueued,
        };
        Delivered += other.Delivered;
        PassedOver += other.PassedOver;
        Acknowledged += other.Acknowledged;
        AcksRefused += other.AcksRefused;
        for (int i = 0; i < Returned.Length; i++)
        {
            Returned[i] += other.Returned[i];
        }

        DispatchLatency = HistogramSum.Add(DispatchLatency, other.DispatchLatency);
        CommitLatency = HistogramSum.Add(CommitLatency, other.CommitLatency);
    }
}

/// <summary>Sums of histograms; what is summed is never written to.</summary>
internal static class HistogramSum
{
    public static MetricHistogram? Add(MetricHistogram? sum, MetricHistogram? more)
    {
        if (more is not null)
        {
            sum ??= new MetricHistogram(more.Scale);
            sum.Add(more);
        }

        return sum;
    }
}
