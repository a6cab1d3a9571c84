namespace Danube.Fast.LoadManager;

/// <summary>Load of one topic over the window of a report. The properties stand for the fields of the same names in a report.</summary>
public sealed record TopicLoad
{
    public string TopicName { get; init; } = "";

    /// <summary>Messages per second accepted from producers.</summary>
    public long MessageRate { get; init; }

    /// <summary>Their payload bytes per second.</summary>
    public long ByteRate { get; init; }

    /// <summary>The same in megabits per second (10^6 bits).</summary>
    public double ByteRateMbps { get; init; }

    public int ProducerCount { get; init; }
    public int ConsumerCount { get; init; }
    public int SubscriptionCount { get; init; }

    /// <summary>Local log and object storage.</summary>
    public long DiskSizeBytes { get; init; }
    public long WalSizeBytes { get; init; }
    public long CloudSizeBytes { get; init; }

    /// <summary>Publish received to ack queued, mean over the window; 0 when nothing was published.</summary>
    public double AvgLatencyMs { get; init; }

    /// <summary>The same, 99th percentile.</summary>
    public double P99LatencyMs { get; init; }

    /// <summary>Age of the oldest message that the subscription furthest behind has not acknowledged.</summary>
    public long OldestMessageAgeSec { get; init; }

    /// <summary>What that subscription has not acknowledged.</summary>
    public long BacklogMessages { get; init; }

    /// <summary>Payload bytes per second handed to consumers.</summary>
    public long OutByteRate { get; init; }

    /// <summary>
    /// Share of the broker's traffic, 0 to 1: (bytes in + bytes out + 256 for each message in and out) over the same sum of all its topics.
    /// </summary>
    public double LoadShare { get; init; }

    /// <summary>The topic cannot be moved: its data is on its broker.</summary>
    public bool StaysHere { get; init; }

    /// <summary>
    /// The document's rough score: 0.4 per MB/s, 0.3 per connection, 0.2 per GB, 0.1 per 100 ms of p99. For display; it decides nothing.
    /// </summary>
    public double EstimatedLoadScore =>
        (ByteRate / 1_000_000.0 * 0.4) + ((ProducerCount + ConsumerCount) * 0.3) + (DiskSizeBytes / 1_000_000_000.0 * 0.2) + (P99LatencyMs / 100.0 * 0.1);
}
