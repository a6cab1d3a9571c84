namespace Danube.Fast.Client;

/// <summary>Settings of a <see cref="Reader"/>.</summary>
public sealed class ReaderOptions
{
    /// <summary>The topic, <c>/namespace/name</c>.</summary>
    public required string Topic { get; init; }

    /// <summary>Where the reading begins: <c>earliest</c> (the default), <c>latest</c>, <c>offset:N</c>, <c>time:UNIX_MICROSECONDS</c>.</summary>
    public string Start { get; init; } = "earliest";

    /// <summary>Name shown by the broker; null makes one up.</summary>
    public string? Name { get; init; }

    /// <summary><c>fsync</c>, <c>os</c> or <c>memory</c> when the topic is created by this call; null for the broker's default.</summary>
    public string? Durability { get; init; }

    /// <summary>As <see cref="ConsumerOptions.CreditRecords"/>. Default 65,536.</summary>
    public int CreditRecords { get; init; } = 65_536;

    /// <summary>As <see cref="ConsumerOptions.CreditBytes"/>. Default 4 MiB.</summary>
    public int CreditBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>As <see cref="ConsumerOptions.MaxChunkedBytes"/>. Default 64 MiB.</summary>
    public long MaxChunkedBytes { get; init; } = 64 * 1024 * 1024;

    internal ConsumerOptions ToConsumer() => new()
    {
        Topic = Topic,
        Subscription = "",
        IsReader = true,
        Type = SubscriptionType.Exclusive,
        Start = Start,
        Name = Name ?? $"reader-{Guid.NewGuid():N}",
        Durability = Durability,
        CreditRecords = CreditRecords,
        CreditBytes = CreditBytes,
        MaxChunkedBytes = MaxChunkedBytes,
    };
}
