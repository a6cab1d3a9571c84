using Danube.Fast.Harness;

namespace Danube.Fast.Bench.Peers;

/// <summary>What one measured round of one contender gave.</summary>
internal sealed record PeerSample
{
    /// <summary>Messages per second: received where there is a consumer, else acknowledged.</summary>
    public double Rate { get; init; }

    /// <summary>Of latency scenarios: publish to acknowledgement one at a time, or intended send time to the consumer.</summary>
    public LatencyHistogram Latency { get; init; } = new();

    /// <summary>Paced: messages per second that were asked for; 0 = as fast as it goes.</summary>
    public double WantedRate { get; init; }

    /// <summary>Cores that the server used.</summary>
    public double ServerCores { get; init; }

    /// <summary>Share of a core of the server's busiest thread.</summary>
    public double ServerThread { get; init; }

    /// <summary>Cores that the client processes used together.</summary>
    public double ClientCores { get; init; }

    /// <summary>Share of a core of the clients' busiest thread.</summary>
    public double ClientThread { get; init; }

    /// <summary>Cores that neither the server nor the clients used: the kernel's own threads, and whatever else runs on the machine.</summary>
    public double OtherCores { get; init; }

    /// <summary>Messages of the whole round, warm-up included: sent, acknowledged, found in the stream or received.</summary>
    public long Counted { get; init; }

    /// <summary>False when a paced load could not be sustained.</summary>
    public bool IsSustained => WantedRate == 0 || Rate >= 0.97 * WantedRate;
}
