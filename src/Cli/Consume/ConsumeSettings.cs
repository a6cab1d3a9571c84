using Danube.Fast.Client;

namespace Danube.Fast.Cli.Consume;

/// <summary>What the options of <c>consume</c> ask for.</summary>
internal sealed record ConsumeSettings
{
    public required string Url { get; init; }
    public required string Topic { get; init; }

    /// <summary>Name of the subscription; null = a reader.</summary>
    public string? Subscription { get; init; }
    public string? Name { get; init; }
    public SubscriptionType Type { get; init; }
    public int Priority { get; init; }

    /// <summary>Gives messages back instead of acknowledging them; null = acknowledges.</summary>
    public TimeSpan? NackDelay { get; init; }

    /// <summary>Null = the subscription keeps its policy.</summary>
    public RedeliveryPolicy? Policy { get; init; }
    public string From { get; init; } = "earliest";

    /// <summary>Messages to take at most; null = all.</summary>
    public long? Count { get; init; }

    /// <summary>Ends at the message that was the last one when the run began.</summary>
    public bool UntilEnd { get; init; }
    public bool Acknowledge { get; init; } = true;
    public required MessageTemplate Template { get; init; }
    public LineEncoding Encoding { get; init; }

    /// <summary>Leaves out the newline of the last message.</summary>
    public bool NoFinalNewLine { get; init; }
}
