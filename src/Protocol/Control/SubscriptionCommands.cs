namespace Danube.Fast.Protocol;

public sealed record SubscriptionRequest
{
    public string Topic { get; set; } = "";
    public string Subscription { get; set; } = "";
}

/// <summary>One subscription, in full.</summary>
public sealed record SubscriptionDetails
{
    /// <summary>Its topic, <c>/namespace/name</c>.</summary>
    public string Topic { get; set; } = "";

    /// <summary>As lists show it.</summary>
    public SubscriptionInfo Subscription { get; set; } = new();

    /// <summary>Acknowledged offsets above mark-delete.</summary>
    public long AcknowledgedBeyond { get; set; }

    /// <summary>The policy with all defaults filled in.</summary>
    public SubscriptionPolicy Policy { get; set; } = new();

    /// <summary>The consumers connected.</summary>
    public ConsumerInfo[] Consumers { get; set; } = [];
}

/// <summary>A connected consumer.</summary>
public sealed record ConsumerInfo
{
    /// <summary>Name of the consumer.</summary>
    public string Name { get; set; } = "";

    /// <summary>Priority among the consumers of a failover subscription; higher is preferred.</summary>
    public int Priority { get; set; }

    /// <summary>False for a failover consumer that stands by.</summary>
    public bool Active { get; set; } = true;

    /// <summary>Records sent and neither acknowledged nor given back.</summary>
    public long InFlight { get; set; }

    /// <summary>Records it may still be sent.</summary>
    public long Credit { get; set; }
}

/// <summary>Acknowledges the next records of a subscription unseen.</summary>
public sealed record SkipRequest
{
    public string Topic { get; set; } = "";
    public string Subscription { get; set; } = "";

    /// <summary>Unacknowledged records to skip, from mark-delete on; 1 or more.</summary>
    public long Count { get; set; }
}

/// <summary>What a skip has done.</summary>
public sealed record SkipReply
{
    /// <summary>Records that were skipped.</summary>
    public long Skipped { get; set; }

    /// <summary>First offset that is not acknowledged now.</summary>
    public long MarkDelete { get; set; }
}

/// <summary>Shows messages without delivering them.</summary>
public sealed record PeekRequest
{
    /// <summary>The topic, <c>/namespace/name</c>.</summary>
    public string Topic { get; set; } = "";

    /// <summary>From this subscription's first unacknowledged record on, acknowledged ones left out; null: from <see cref="Offset"/>.</summary>
    public string? Subscription { get; set; }

    /// <summary>First offset to show; null: where the subscription stands, or the log's start.</summary>
    public long? Offset { get; set; }

    /// <summary>1 to 100.</summary>
    public int Count { get; set; } = 1;
}

public sealed record PeekReply
{
    /// <summary>May be fewer than asked for: the reply is bounded by the frame limit.</summary>
    public MessageBody[] Messages { get; set; } = [];
}

/// <summary>One message as JSON.</summary>
public sealed record MessageBody
{
    /// <summary>JSON lines: the consumer's channel.</summary>
    public uint? Channel { get; set; }

    /// <summary>JSON lines: the subscription epoch it was delivered in.</summary>
    public uint? Epoch { get; set; }

    /// <summary>Position in the partition.</summary>
    public long Offset { get; set; }

    /// <summary>Generation of the log that it was written in.</summary>
    public uint Generation { get; set; }

    /// <summary>The key when it is UTF-8, else <see cref="KeyBase64"/>.</summary>
    public string? Key { get; set; }

    /// <summary>The key in base64 when it is not UTF-8.</summary>
    public string? KeyBase64 { get; set; }

    /// <summary>The payload when it is UTF-8 text, else <see cref="PayloadBase64"/>.</summary>
    public string? Payload { get; set; }

    /// <summary>The payload in base64 when it is not UTF-8 text.</summary>
    public string? PayloadBase64 { get; set; }

    /// <summary>Names and values that the producer added; null for none.</summary>
    public Dictionary<string, string>? Attributes { get; set; }

    /// <summary>Unix microseconds.</summary>
    public long AppendTime { get; set; }

    /// <summary>Unix microseconds.</summary>
    public long PublishTime { get; set; }

    /// <summary>Unix microseconds, when the producer gave one.</summary>
    public long? EventTime { get; set; }

    /// <summary>How often it was taken before without being acknowledged.</summary>
    public int RedeliveryCount { get; set; }

    /// <summary>Index of this part of a large message, from 0 on; null for a whole message.</summary>
    public int? Chunk { get; set; }

    /// <summary>Of a part: true for the last one.</summary>
    public bool? ChunkEnd { get; set; }

    /// <summary>Of the first part: bytes of the whole message.</summary>
    public long? MessageBytes { get; set; }
}
