namespace Danube.Fast.Protocol;

/// <summary>
/// Commands of the control plane. A command is the message id of a version-1 request; the response repeats id and correlation
/// id. Payloads are JSON in snake_case, unknown members are refused.
/// </summary>
public static class Commands
{
    /// <summary>Event, first frame of a connection in both directions: <see cref="HelloPayload"/> / <see cref="HelloReply"/>.</summary>
    public const string Hello = "$hello";
    public const string CreateTopic = "$create_topic";
    public const string DeleteTopic = "$delete_topic";
    public const string ListTopics = "$list_topics";
    public const string DescribeTopic = "$describe_topic";
    public const string CreateProducer = "$create_producer";
    public const string Subscribe = "$subscribe";
    public const string Unsubscribe = "$unsubscribe";
    public const string Seek = "$seek";

    /// <summary>Error frames that no request caused (a refused publish frame, say) carry this id.</summary>
    public const string StreamError = "$error";
}

public sealed record HelloPayload
{
    public int[] Versions { get; init; } = [1, 2];
    public int MaxFrame { get; init; } = ProtocolLimits.DefaultMaxFrame;
    public string[] Codecs { get; init; } = [];
    public string? ClientName { get; init; }
    public string? Credentials { get; init; }
}

public sealed record HelloReply
{
    public int Version { get; init; }
    public int MaxFrame { get; init; }
    public string[] Codecs { get; init; } = [];
    public string BrokerName { get; init; } = "";
}

/// <summary>Payload of every error frame and close frame.</summary>
public sealed record ErrorPayload
{
    /// <summary>Text for people: what happened and what to do. Same content as <see cref="Message"/>, under the name the version-1 envelope requires.</summary>
    public string Error { get; init; } = "";
    public string Code { get; init; } = "";
    public string Message { get; init; } = "";
    public uint? Channel { get; init; }
    public ulong? Sequence { get; init; }
    public bool Retryable { get; init; }
}

/// <summary>Policy of a topic; null members take the broker's default.</summary>
public sealed record TopicSpec
{
    public string Topic { get; init; } = "";

    /// <summary><c>fsync</c>, <c>os</c> or <c>memory</c>.</summary>
    public string? Durability { get; init; }
    public int? Partitions { get; init; }
    public long? RetentionMs { get; init; }
    public long? RetentionBytes { get; init; }
}

public sealed record TopicRequest
{
    public string Topic { get; init; } = "";
}

public sealed record ListTopicsRequest
{
    /// <summary>Only topics of this namespace; null = all.</summary>
    public string? Namespace { get; init; }
}

public sealed record ListTopicsReply
{
    public TopicInfo[] Topics { get; init; } = [];
}

public sealed record TopicInfo
{
    public string Topic { get; init; } = "";
    public ulong TopicId { get; init; }
    public string Durability { get; init; } = "";
    public int Partitions { get; init; }
    public long LogStart { get; init; }
    public long DurableEnd { get; init; }
    public long CommittedEnd { get; init; }
    public uint Generation { get; init; }
    public long SizeBytes { get; init; }
    public int Producers { get; init; }
    public string State { get; init; } = "ok";
    public SubscriptionInfo[] Subscriptions { get; init; } = [];
}

public sealed record SubscriptionInfo
{
    public string Name { get; init; } = "";
    public string Type { get; init; } = "";
    public int Consumers { get; init; }
    public long MarkDelete { get; init; }
    public long Backlog { get; init; }
    public uint Epoch { get; init; }
}

public sealed record CreateProducerRequest
{
    public string Topic { get; init; } = "";

    /// <summary>Producer name; its id is <see cref="KeyHash.ProducerId"/>.</summary>
    public string Name { get; init; } = "";

    /// <summary>Last sequence the client knows to be acknowledged, 0 for a new one: the broker expects at least one above it.</summary>
    public ulong LastSequence { get; init; }

    /// <summary>Durability when the topic is created on first use; null = the broker's default.</summary>
    public string? Durability { get; init; }
}

public sealed record CreateProducerReply
{
    public uint Channel { get; init; }
    public ulong ProducerId { get; init; }

    /// <summary>Last stored sequence of this producer on the topic; 0 = none. The next frame must start one above.</summary>
    public ulong LastSequence { get; init; }

    /// <summary>Bytes of unacknowledged frames allowed on the way.</summary>
    public long Window { get; init; }
    public uint TopicEpoch { get; init; }
    public uint Generation { get; init; }
    public string Durability { get; init; } = "";

    /// <summary>1 for a plain topic; for a partitioned base topic the number of <c>-part-N</c> topics and no channel.</summary>
    public int Partitions { get; init; } = 1;
}

public sealed record SubscribeRequest
{
    public string Topic { get; init; } = "";
    public string Subscription { get; init; } = "";
    public string ConsumerName { get; init; } = "";

    /// <summary><c>exclusive</c>, <c>shared</c>, <c>failover</c> or <c>key_shared</c>.</summary>
    public string Type { get; init; } = "exclusive";

    /// <summary><c>earliest</c>, <c>latest</c>, <c>offset:N</c> or <c>time:UNIX_MICROSECONDS</c>; used when the subscription is new.</summary>
    public string Start { get; init; } = "latest";
    public int Priority { get; init; }
    public string? Durability { get; init; }
}

public sealed record SubscribeReply
{
    public uint Channel { get; init; }
    public uint SubscriptionEpoch { get; init; }

    /// <summary>First offset not yet acknowledged.</summary>
    public long MarkDelete { get; init; }
    public long DurableEnd { get; init; }
    public uint Generation { get; init; }
    public int Partitions { get; init; } = 1;
}

public sealed record UnsubscribeRequest
{
    public string Topic { get; init; } = "";
    public string Subscription { get; init; } = "";
}

public sealed record SeekRequest
{
    public string Topic { get; init; } = "";
    public string Subscription { get; init; } = "";

    /// <summary>As <see cref="SubscribeRequest.Start"/>.</summary>
    public string To { get; init; } = "earliest";
}

public sealed record SeekReply
{
    public uint SubscriptionEpoch { get; init; }
    public long MarkDelete { get; init; }
}

public sealed record EmptyReply;
