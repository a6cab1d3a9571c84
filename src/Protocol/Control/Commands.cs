namespace Danube.Fast.Protocol;

/// <summary>
/// Commands of the control plane. A command is the message id of a version-1 request; the response repeats id and correlation
/// id. Payloads are JSON in snake_case, unknown members are refused, absent ones take the default that the property shows.
/// </summary>
/// <remarks>
/// The properties of the payloads have setters on purpose: generated JSON code passes over the initialisers of init-only properties, an absent
/// member would be null or 0.
/// </remarks>
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
    public const string SetTopicPolicy = "$set_topic_policy";
    public const string SetNamespacePolicy = "$set_namespace_policy";
    public const string DescribeNamespace = "$describe_namespace";
    public const string PurgeTopic = "$purge_topic";
    public const string DescribeSubscription = "$describe_subscription";
    public const string Skip = "$skip";
    public const string Purge = "$purge";
    public const string Peek = "$peek";

    /// <summary>Where a topic is served: <see cref="LookupRequest"/> / <see cref="LookupReply"/>.</summary>
    public const string Lookup = "$lookup";

    /// <summary>JSON lines only: <see cref="PublishRequest"/>.</summary>
    public const string Publish = "$publish";

    /// <summary>JSON lines only, event from the broker: <see cref="MessageBody"/>.</summary>
    public const string Message = "$message";

    /// <summary>JSON lines only: <see cref="CreditRequest"/>.</summary>
    public const string Credit = "$credit";

    /// <summary>JSON lines only: <see cref="AckRequest"/>.</summary>
    public const string Ack = "$ack";

    /// <summary>JSON lines only: <see cref="AckRequest"/>.</summary>
    public const string Nack = "$nack";

    /// <summary>JSON lines only: <see cref="CloseRequest"/>.</summary>
    public const string Close = "$close";

    /// <summary>Statistics of all messages and by peer: <see cref="MessageStatsRequest"/> / <see cref="MessageStatsReply"/>.</summary>
    public const string GetMessageStats = "RPCGetMessageStats";

    /// <summary>Messages in all: <see cref="MessageCountReply"/>.</summary>
    public const string GetMessageCount = "RPCGetMessageCount";

    /// <summary>Error frames that no request caused (a refused publish frame, say) carry this id.</summary>
    public const string StreamError = "$error";
}

public sealed record HelloPayload
{
    public int[] Versions { get; set; } = [1, 2];
    public int MaxFrame { get; set; } = ProtocolLimits.DefaultMaxFrame;
    public string[] Codecs { get; set; } = [];

    /// <summary>Name under which other clients reach this connection, 1 to 32 bytes of UTF-8; null = none.</summary>
    public string? ClientName { get; set; }
    public string? Credentials { get; set; }
}

public sealed record HelloReply
{
    public int Version { get; set; }
    public int MaxFrame { get; set; }
    public string[] Codecs { get; set; } = [];
    public string BrokerName { get; set; } = "";

    /// <summary>Id of the broker in its cluster; absent from a broker without one.</summary>
    public int? BrokerId { get; set; }

    /// <summary><c>host:port</c> of the brokers of the cluster that are there; absent from a broker without one.</summary>
    public string[]? Brokers { get; set; }

    /// <summary>The name under which other clients reach this connection; null: it gave none, or one that it cannot have (another connection holds it).</summary>
    public string? ClientName { get; set; }
}

/// <summary>Payload of every error frame and close frame.</summary>
public sealed record ErrorPayload
{
    /// <summary>Text for people: what happened and what to do. Same content as <see cref="Message"/>, under the name the version-1 envelope requires.</summary>
    public string Error { get; set; } = "";
    public string Code { get; set; } = "";
    public string Message { get; set; } = "";
    public uint? Channel { get; set; }
    public ulong? Sequence { get; set; }
    public bool Retryable { get; set; }

    /// <summary>Where the topic is served; with <c>not_owner</c>, <c>owner_unproven</c> and <c>topic_waiting</c> only.</summary>
    public RedirectPayload? Redirect { get; set; }
}

/// <summary>A topic to create, or whose policy to change; null members take the namespace's or the broker's default, or stay as they are.</summary>
public sealed record TopicSpec : TopicPolicy
{
    /// <summary>Name of the topic, <c>/namespace/name</c>.</summary>
    public string Topic { get; set; } = "";

    /// <summary><c>fsync</c>, <c>os</c> or <c>memory</c>. Fixed at creation.</summary>
    public string? Durability { get; set; }

    /// <summary>1 for a plain topic; above 1 the topics <c>name-part-0</c> and so on hold the messages. Fixed at creation.</summary>
    public int? Partitions { get; set; }
}

public sealed record TopicRequest
{
    public string Topic { get; set; } = "";
}

public sealed record ListTopicsRequest
{
    /// <summary>Only topics of this namespace; null = all.</summary>
    public string? Namespace { get; set; }
}

public sealed record ListTopicsReply
{
    public TopicInfo[] Topics { get; set; } = [];
}

/// <summary>A topic as the broker describes it. Of a partitioned topic: sums over its partitions, and no offsets.</summary>
public sealed record TopicInfo
{
    /// <summary>Name of the topic, <c>/namespace/name</c>.</summary>
    public string Topic { get; set; } = "";

    /// <summary>Never used for another topic of the broker; 0 for a partitioned topic, which has no log of its own.</summary>
    public ulong TopicId { get; set; }

    /// <summary><c>fsync</c>, <c>os</c> or <c>memory</c>.</summary>
    public string Durability { get; set; } = "";

    /// <summary>1 for a topic with a log of its own.</summary>
    public int Partitions { get; set; }

    /// <summary>First offset kept.</summary>
    public long LogStart { get; set; }

    /// <summary>First offset that is not on stable storage yet. Consumers of a <c>fsync</c> topic see what is below.</summary>
    public long DurableEnd { get; set; }

    /// <summary>Offset of the next message. Consumers of <c>os</c> and <c>memory</c> topics see what is below.</summary>
    public long CommittedEnd { get; set; }

    /// <summary>Generation of the log, the second part of the ids of new messages.</summary>
    public uint Generation { get; set; }

    /// <summary>Bytes of log kept.</summary>
    public long SizeBytes { get; set; }

    /// <summary>Producers connected.</summary>
    public int Producers { get; set; }

    /// <summary><c>ok</c>, <c>not_open</c> in a list that could not wait until it was open (offsets and sizes are 0 then), else the code of what stopped it, or of why this broker does not serve it.</summary>
    public string State { get; set; } = "ok";

    /// <summary>What stopped the log and what to do; absent while it works.</summary>
    public string? Failure { get; set; }

    /// <summary>Offsets whose messages cannot be read any more, as far as that is known; absent when there are none.</summary>
    public OffsetRange[]? Damaged { get; set; }

    /// <summary>What was set on the topic itself; absent in lists.</summary>
    public TopicPolicy? Policy { get; set; }

    /// <summary>The subscriptions of the topic.</summary>
    public SubscriptionInfo[] Subscriptions { get; set; } = [];
}

/// <summary>Offsets from <see cref="From"/> up to but not including <see cref="To"/>.</summary>
public sealed record OffsetRange
{
    /// <summary>The first one.</summary>
    public long From { get; set; }

    /// <summary>The one behind the last.</summary>
    public long To { get; set; }
}

/// <summary>A subscription as the broker describes it.</summary>
public sealed record SubscriptionInfo
{
    /// <summary>Name of the subscription.</summary>
    public string Name { get; set; } = "";

    /// <summary><c>exclusive</c>, <c>shared</c>, <c>failover</c> or <c>key_shared</c>.</summary>
    public string Type { get; set; } = "";

    /// <summary>Consumers connected.</summary>
    public int Consumers { get; set; }

    /// <summary>First offset that is not acknowledged.</summary>
    public long MarkDelete { get; set; }

    /// <summary>Messages that consumers can see and have not acknowledged; exact.</summary>
    public long Backlog { get; set; }

    /// <summary>Raised at every seek and takeover.</summary>
    public uint Epoch { get; set; }

    /// <summary>Records that wait for their delay or back-off.</summary>
    public long Delayed { get; set; }

    /// <summary>Why nothing is delivered although there is a backlog: <c>redelivery_limit</c>, <c>dead_letter_failed</c>; absent otherwise.</summary>
    public string? Blocked { get; set; }
}

public sealed record CreateProducerRequest
{
    public string Topic { get; set; } = "";

    /// <summary>Producer name; its id is <see cref="KeyHash.ProducerId"/>.</summary>
    public string Name { get; set; } = "";

    /// <summary>Last sequence the client knows to be acknowledged, 0 for a new one: the broker expects at least one above it.</summary>
    public ulong LastSequence { get; set; }

    /// <summary>Highest epoch of the topic that the client has seen; absent for none. A broker that knows a lower one does not own the topic any more.</summary>
    public uint? TopicEpoch { get; set; }

    /// <summary>Durability when the topic is created on first use; null = the broker's default.</summary>
    public string? Durability { get; set; }
}

public sealed record CreateProducerReply
{
    public uint Channel { get; set; }
    public ulong ProducerId { get; set; }

    /// <summary>Last stored sequence of this producer on the topic; 0 = none. The next frame must start one above.</summary>
    public ulong LastSequence { get; set; }

    /// <summary>Bytes of unacknowledged frames allowed on the way.</summary>
    public long Window { get; set; }
    public uint TopicEpoch { get; set; }
    public uint Generation { get; set; }
    public string Durability { get; set; } = "";

    /// <summary>1 for a plain topic; for a partitioned base topic the number of <c>-part-N</c> topics and no channel.</summary>
    public int Partitions { get; set; } = 1;
}

public sealed record SubscribeRequest
{
    public string Topic { get; set; } = "";
    public string Subscription { get; set; } = "";
    public string ConsumerName { get; set; } = "";

    /// <summary><c>exclusive</c>, <c>shared</c>, <c>failover</c> or <c>key_shared</c>.</summary>
    public string Type { get; set; } = "exclusive";

    /// <summary><c>earliest</c>, <c>latest</c>, <c>offset:N</c> or <c>time:UNIX_MICROSECONDS</c>; used when the subscription is new.</summary>
    public string Start { get; set; } = "latest";

    /// <summary>Failover: the active consumer is the oldest of those with the highest priority.</summary>
    public int Priority { get; set; }

    /// <summary>Highest epoch of the topic that the client has seen; absent for none. A broker that knows a lower one does not own the topic any more.</summary>
    public uint? TopicEpoch { get; set; }
    public string? Durability { get; set; }

    /// <summary>
    /// A reader: the subscription is never stored and ends with its consumer. The type must be exclusive and the subscription's name empty:
    /// the broker makes one up.
    /// </summary>
    public bool Reader { get; set; }

    /// <summary>Replaces the policy of the subscription; absent: an existing one keeps its own, a new one takes the defaults.</summary>
    public SubscriptionPolicy? Policy { get; set; }
}

public sealed record SubscribeReply
{
    public uint Channel { get; set; }
    public uint SubscriptionEpoch { get; set; }

    /// <summary>Number of the opening of the topic on its broker; in a cluster it rises with every change of owner.</summary>
    public uint TopicEpoch { get; set; }

    /// <summary>First offset not yet acknowledged.</summary>
    public long MarkDelete { get; set; }
    public long DurableEnd { get; set; }
    public uint Generation { get; set; }
    public int Partitions { get; set; } = 1;

    /// <summary>Name of the subscription; a reader's was made up by the broker.</summary>
    public string Subscription { get; set; } = "";
}

public sealed record UnsubscribeRequest
{
    public string Topic { get; set; } = "";
    public string Subscription { get; set; } = "";
}

public sealed record SeekRequest
{
    public string Topic { get; set; } = "";
    public string Subscription { get; set; } = "";

    /// <summary>As <see cref="SubscribeRequest.Start"/>.</summary>
    public string To { get; set; } = "earliest";
}

/// <summary>Where a subscription stands after a seek.</summary>
public sealed record SeekReply
{
    /// <summary>Epoch of what is delivered from now on; acknowledgements of older ones do not count.</summary>
    public uint SubscriptionEpoch { get; set; }

    /// <summary>First offset that is not acknowledged.</summary>
    public long MarkDelete { get; set; }
}

public sealed record EmptyReply;
