using Danube.Fast.Protocol;

namespace Danube.Fast.Client;

/// <summary>How the consumers of a subscription share its messages.</summary>
public enum SubscriptionType
{
    /// <summary>One consumer gets everything, in order. A second one is refused; one with the same name takes over.</summary>
    Exclusive,

    /// <summary>Many consumers, each batch goes to one of them.</summary>
    Shared,

    /// <summary>One active consumer, others stand by.</summary>
    Failover,

    /// <summary>Many consumers, messages of one key go to one of them, in order.</summary>
    KeyShared,
}

/// <summary>Settings of a <see cref="Consumer"/>.</summary>
public sealed class ConsumerOptions
{
    /// <summary>The topic, <c>/namespace/name</c>.</summary>
    public required string Topic { get; init; }

    /// <summary>The subscription. It keeps the position: a later consumer continues where this one has acknowledged.</summary>
    public required string Subscription { get; init; }

    /// <summary>Name of this consumer; a second one with the same name takes over on exclusive subscriptions. Null makes up a name.</summary>
    public string? Name { get; init; }

    /// <summary>How consumers share the subscription. Default <see cref="SubscriptionType.Exclusive"/>.</summary>
    public SubscriptionType Type { get; init; }

    /// <summary>Where a new subscription begins: <c>earliest</c>, <c>latest</c> (the default), <c>offset:N</c>, <c>time:UNIX_MICROSECONDS</c>. An existing one ignores it.</summary>
    public string Start { get; init; } = "latest";

    /// <summary>Priority among the consumers of a failover subscription; higher is preferred.</summary>
    public int Priority { get; init; }

    /// <summary>
    /// What happens to messages that are not acknowledged. It becomes the policy of the subscription, for all its consumers. Null: an existing
    /// subscription keeps its own, a new one takes the defaults.
    /// </summary>
    public RedeliveryPolicy? Policy { get; init; }

    /// <summary><c>fsync</c>, <c>os</c> or <c>memory</c> when the topic is created by this call; null for the broker's default.</summary>
    public string? Durability { get; init; }

    /// <summary>Messages that may be on the way or waiting in this process, per partition; may be exceeded by one batch. Default 65,536; small values spread shared work evenly.</summary>
    public int CreditRecords { get; init; } = 65_536;

    /// <summary>Memory bound: bytes that may be on the way or waiting, per partition; may be exceeded by one batch. Default 4 MiB.</summary>
    public int CreditBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>
    /// Memory bound: bytes of large messages that are being put together from chunks (at most 16 at a time), counted in full length from their first
    /// chunk on. A message above it cannot be received by this consumer and is given back. Default 64 MiB.
    /// </summary>
    public long MaxChunkedBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>Acknowledgements are sent after this long at the latest. Default 20 ms.</summary>
    public TimeSpan AckInterval { get; init; } = TimeSpan.FromMilliseconds(20);

    internal bool IsReader { get; init; }

    internal string WireType => Type switch
    {
        SubscriptionType.Shared => "shared",
        SubscriptionType.Failover => "failover",
        SubscriptionType.KeyShared => "key_shared",
        _ => "exclusive",
    };

    internal void Validate()
    {
        ArgumentException.ThrowIfNullOrEmpty(Topic);
        if (!IsReader)
        {
            ArgumentException.ThrowIfNullOrEmpty(Subscription);
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(CreditRecords, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(CreditBytes, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(CreditRecords, ProtocolLimits.MaxNegotiableFrame);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(AckInterval, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxChunkedBytes, 1);
        Policy?.Validate();
    }
}
