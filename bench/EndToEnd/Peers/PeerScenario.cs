namespace Danube.Fast.Bench.Peers;

/// <summary>The shape of a load.</summary>
internal enum LoadShape
{
    /// <summary>As fast as the window allows, nobody consumes.</summary>
    Publish,

    /// <summary>As fast as it goes, one consumer takes and acknowledges everything.</summary>
    Consume,

    /// <summary>One message at a time.</summary>
    Single,

    /// <summary>Open loop at a rate, one consumer; latency from the intended send time.</summary>
    Paced,
}

/// <summary>One row group of the table.</summary>
internal sealed record PeerScenario(string Name, string Title, LoadShape Shape, int SizeBytes)
{
    /// <summary>Of <see cref="LoadShape.Paced"/>: at a rate common to a class instead of half of the contender's own maximum.</summary>
    public bool IsCommonRate { get; init; }

    /// <summary>Topics, or streams of a peer, that take turns.</summary>
    public int Topics { get; init; } = 1;

    /// <summary>True when the figure is a latency.</summary>
    public bool IsLatency => Shape is LoadShape.Single or LoadShape.Paced;

    // What one connection of RabbitMQ can publish to (256) is the limit.
    private const int ManyTopics = 100;

    public bool HasConsumer => Shape is LoadShape.Consume or LoadShape.Paced;

    /// <summary>All of them.</summary>
    /// <param name="size">Bytes of the larger message.</param>
    /// <param name="small">Bytes of the smaller message.</param>
    public static PeerScenario[] All(int size, int small) =>
    [
        new("publish", $"publish, {size:N0} B, pipelined, no consumer", LoadShape.Publish, size),
        new("publish-small", $"publish, {small:N0} B, pipelined, no consumer", LoadShape.Publish, small),
        new("topics", $"publish to {ManyTopics} topics in turn, {size:N0} B, pipelined, no consumer", LoadShape.Publish, size) { Topics = ManyTopics },
        new("consume", $"publish -> consume with acknowledgement, {size:N0} B", LoadShape.Consume, size),
        new("single", $"one message at a time, {size:N0} B, publish -> acknowledged", LoadShape.Single, size),
        new("half", $"end to end at half of the own maximum, {size:N0} B", LoadShape.Paced, size),
        new("common", $"end to end at one rate for the class (half of the slowest), {size:N0} B", LoadShape.Paced, size) { IsCommonRate = true },
    ];
}

/// <summary>How long the parts of a round take, and what is the same for all.</summary>
internal sealed record PeerPlan
{
    public int Rounds { get; init; }
    public double WarmUpSeconds { get; init; }
    public double Seconds { get; init; }

    /// <summary>Warm-up of a scenario. Longer where latency is the figure: the just-in-time compiler of the client processes, which are new in each round, takes a few seconds for the tail to be rid of it.</summary>
    public double WarmUpOf(PeerScenario scenario) => scenario.IsLatency ? 3 * WarmUpSeconds : WarmUpSeconds;

    /// <summary>Messages that may be unacknowledged.</summary>
    public int Window { get; init; }
    public string? DataParent { get; init; }
}
