namespace Danube.Fast.LoadManager;

/// <summary>
/// One reading of a topic's counters, which the broker feeds. The counters are totals since the topic was opened and are never set back by a
/// reader, so any number of readers may take samples.
/// </summary>
public readonly record struct TopicSample
{
    /// <summary>Full name, <c>/namespace/name</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Tells one opening of the topic from another (epoch or topic id): with a new one the counters begin at 0 again.</summary>
    public long Opening { get; init; }

    /// <summary>Messages accepted from producers.</summary>
    public long MessagesIn { get; init; }

    /// <summary>Payload bytes of them.</summary>
    public long BytesIn { get; init; }

    /// <summary>Messages handed to consumers, again or not.</summary>
    public long MessagesOut { get; init; }

    /// <summary>Payload bytes of them.</summary>
    public long BytesOut { get; init; }

    /// <summary>Producers connected now.</summary>
    public int Producers { get; init; }

    /// <summary>Consumers connected now.</summary>
    public int Consumers { get; init; }

    public int Subscriptions { get; init; }

    /// <summary>Bytes of the local log.</summary>
    public long WalBytes { get; init; }

    /// <summary>Bytes in object storage.</summary>
    public long CloudBytes { get; init; }

    /// <summary>Messages that the subscription furthest behind has not acknowledged.</summary>
    public long BacklogMessages { get; init; }

    /// <summary>Age of the oldest of them.</summary>
    public TimeSpan OldestMessageAge { get; init; }

    /// <summary>The topic cannot be moved from its broker: its data is there.</summary>
    public bool StaysHere { get; init; }

    /// <summary>Publish received to ack queued, since the topic was opened.</summary>
    public LatencySample Latency { get; init; }
}

/// <summary>A histogram of latencies as one reader sees it.</summary>
/// <param name="UpperBoundsMs">Upper bounds of the buckets, ascending; the same for all topics of a broker.</param>
/// <param name="Counts">Latencies per bucket since the start, not cumulative; one more than bounds. Only read during the call it is passed to.</param>
/// <param name="SumMs">Sum of all latencies.</param>
public readonly record struct LatencySample(ReadOnlyMemory<double> UpperBoundsMs, ReadOnlyMemory<long> Counts, double SumMs);
