namespace Danube.Fast.Protocol;

/// <summary>JSON lines: messages to publish on a channel of <c>$create_producer</c>, as one batch. Answered when they are stored as the topic's durability says.</summary>
public sealed record PublishRequest
{
    public uint Channel { get; set; }

    /// <summary>1 to 65,536.</summary>
    public OutgoingBody[] Messages { get; set; } = [];

    /// <summary>Delivery delay after the append, milliseconds.</summary>
    public uint DelayMs { get; set; }

    /// <summary>Time to live after the append, seconds; 0 = the topic's.</summary>
    public uint TtlS { get; set; }

    /// <summary>First sequence of the batch; null: the next one.</summary>
    public ulong? Sequence { get; set; }
}

public sealed record OutgoingBody
{
    public string? Key { get; set; }

    /// <summary>Text, stored as UTF-8; or <see cref="PayloadBase64"/>.</summary>
    public string? Payload { get; set; }
    public string? PayloadBase64 { get; set; }
    public Dictionary<string, string>? Attributes { get; set; }

    /// <summary>Unix microseconds.</summary>
    public long? EventTime { get; set; }
}

public sealed record PublishReply
{
    public ulong FirstSequence { get; set; }
    public long FirstOffset { get; set; }
    public int Count { get; set; }
    public uint Generation { get; set; }
}

/// <summary>JSON lines: how many records the broker may send on a channel beyond those it has sent. Adds up.</summary>
public sealed record CreditRequest
{
    public uint Channel { get; set; }

    /// <summary>1 to 1,000,000.</summary>
    public int Records { get; set; }
}

/// <summary>JSON lines: settles records of a channel.</summary>
public sealed record AckRequest
{
    public uint Channel { get; set; }
    public long[] Offsets { get; set; } = [];

    /// <summary>$ack on exclusive and failover subscriptions: all below this offset too.</summary>
    public long? Below { get; set; }

    /// <summary>$nack: milliseconds; null: the subscription's back-off.</summary>
    public long? DelayMs { get; set; }

    /// <summary>Epoch of the messages, as they showed it: after a seek in between nothing is settled. Null: that of the last message sent on the channel.</summary>
    public uint? Epoch { get; set; }
}

/// <summary>JSON lines: closes a producer or consumer.</summary>
public sealed record CloseRequest
{
    public uint Channel { get; set; }
}
