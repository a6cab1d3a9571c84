namespace Danube.Fast.Bench.Peers.Workers;

/// <summary>Which protocol a worker speaks.</summary>
public enum PeerKind
{
    /// <summary>JetStream, one acknowledgement per message.</summary>
    Nats,

    /// <summary>JetStream with fast-ingest batches (server 2.14 and later): one acknowledgement for many messages.</summary>
    NatsFast,

    Redis,

    /// <summary>Streams, published to over many connections at once; no order between them.</summary>
    RedisMany,

    /// <summary>Streams, every message an entry of its own.</summary>
    RabbitMq,

    /// <summary>Streams, messages packed into sub-entries.</summary>
    RabbitMqPacked,
}

/// <summary>A stream of a peer, for a worker that publishes to it or consumes from it.</summary>
public sealed record PeerTarget
{
    public PeerKind Kind { get; init; }

    /// <summary>Port on the loopback address.</summary>
    public int Port { get; init; }

    public string Stream { get; init; } = "";

    /// <summary>Streams that take turns; with more than one, a number stands behind the name of each.</summary>
    public int Streams { get; init; } = 1;

    /// <summary>All of them.</summary>
    public IEnumerable<string> StreamNames => NamesOf(Stream, Streams);

    /// <summary>Names of so many streams.</summary>
    public static IEnumerable<string> NamesOf(string stream, int streams) => streams == 1 ? [stream] : Enumerable.Range(0, streams).Select(i => $"{stream}-{i}");

    /// <summary>Messages that may be unacknowledged.</summary>
    public int Window { get; init; }

    /// <summary>Messages sent with one write at most.</summary>
    public int Batch { get; init; }
}
