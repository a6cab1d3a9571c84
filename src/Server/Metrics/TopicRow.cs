using Danube.Fast.Core;
using Danube.Fast.Protocol;
using Danube.Fast.Server.Topics;

namespace Danube.Fast.Server.Metrics;

/// <summary>One reading of one topic, or the sum of several.</summary>
internal sealed class TopicRow(TopicSeries series)
{
    public TopicSeries Series { get; } = series;

    /// <summary>Whether labels of reliability are true of all that is summed here.</summary>
    public bool IsReliable { get; init; }

    /// <summary>What was read; null for sums.</summary>
    public (TopicEntry Entry, Topic Topic)? Source { get; init; }

    /// <summary>False for sums: there is no class of all of them.</summary>
    public bool IsTopic => Source is not null;

    public TopicCountersSnapshot Counters { get; set; }
    public long Producers { get; set; }
    public long SubscriptionCount { get; set; }
    public long SizeBytes { get; set; }
    public long ProducersForgotten { get; set; }
    public MetricHistogram? SendLatency { get; set; }

    /// <summary>Null when nothing was refused.</summary>
    public Dictionary<ErrorCode, long>? Refusals { get; set; }

    /// <summary>Null for topics in memory.</summary>
    public LogRow? Log { get; set; }

    public List<SubscriptionRow> Subscriptions { get; } = [];

    /// <summary>What subscriptions that are gone have counted. Not shown with the topic, whose series of them have gone; a part of sums, which must not fall.</summary>
    public SubscriptionRow? Former { get; set; }

    /// <summary>Adds all but the subscriptions.</summary>
    public void Add(TopicRow other)
    {
        AddCounts(other, 1);
        Producers += other.Producers;
        SubscriptionCount += other.SubscriptionCount;
        SizeBytes += other.SizeBytes;
    }

    /// <summary>Adds counters and histograms, or with -1 takes them away.</summary>
    public void AddCounts(TopicRow other, int times)
    {
        Counters = Counters.Plus(other.Counters, times);
        ProducersForgotten += other.ProducersForgotten * times;
        SendLatency = HistogramSum.Add(SendLatency, other.SendLatency, times);
        foreach ((ErrorCode code, long count) in other.Refusals ?? [])
        {
            Refusals ??= [];
            Refusals[code] = Refusals.GetValueOrDefault(code) + (count * times);
        }

        if (other.Log is { } log)
        {
            Log ??= new LogRow();
            Log.Add(log, times);
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

    public void Add(LogRow other, int times)
    {
        Frames += other.Frames * times;
        Bytes += other.Bytes * times;
        CacheHits += other.CacheHits * times;
        CacheMisses += other.CacheMisses * times;
        Sum(Rotations, other.Rotations, times);
        Sum(Deletions, other.Deletions, times);
        Sum(Starts, other.Starts, times);
        AppendLatency = HistogramSum.Add(AppendLatency, other.AppendLatency, times);
        ReadLatency = HistogramSum.Add(ReadLatency, other.ReadLatency, times);
    }

    private static void Sum(long[] to, long[] more, int times)
    {
        for (int i = 0; i < to.Length; i++)
        {
            to[i] += more[i] * times;
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
        Figures = Figures with
        {
            Consumers = Figures.Consumers + other.Figures.Consumers,
            Unacknowledged = Figures.Unacknowledged + other.Figures.Unacknowledged,
            Pending = Figures.Pending + other.Figures.Pending,
            Lag = Figures.Lag + other.Figures.Lag,
        };
        AddCounts(other, 1);
    }

    /// <summary>Adds counters and histograms, or with -1 takes them away.</summary>
    public void AddCounts(SubscriptionRow other, int times)
    {
        Figures = Figures with { Enqueued = Figures.Enqueued + (other.Figures.Enqueued * times) };
        Delivered += other.Delivered * times;
        PassedOver += other.PassedOver * times;
        Acknowledged += other.Acknowledged * times;
        AcksRefused += other.AcksRefused * times;
        for (int i = 0; i < Returned.Length; i++)
        {
            Returned[i] += other.Returned[i] * times;
        }

        DispatchLatency = HistogramSum.Add(DispatchLatency, other.DispatchLatency, times);
        CommitLatency = HistogramSum.Add(CommitLatency, other.CommitLatency, times);
    }
}

/// <summary>Sums of histograms; what is summed is never written to.</summary>
internal static class HistogramSum
{
    public static MetricHistogram? Add(MetricHistogram? sum, MetricHistogram? more, int times)
    {
        if (more is not null)
        {
            sum ??= new MetricHistogram(more.Scale);
            sum.Add(more, times);
        }

        return sum;
    }
}
