namespace Danube.Fast.Client;

/// <summary>Names of the attributes that the broker adds to a message when it stores it in a dead-letter topic; the values are text.</summary>
public static class DeadLetterAttributes
{
    /// <summary>The topic, with partition, that the message comes from.</summary>
    public const string SourceTopic = "danube.source_topic";

    /// <summary>The subscription that could not get rid of it.</summary>
    public const string Subscription = "danube.subscription";

    /// <summary>Its offset in the source topic.</summary>
    public const string Offset = "danube.offset";

    /// <summary>The generation of the source topic's log that it was stored in.</summary>
    public const string Generation = "danube.generation";

    /// <summary>Why it is here, for example <c>timeout</c> or <c>rejected</c>.</summary>
    public const string Reason = "danube.reason";

    /// <summary>The topics it came through, the first one first and separated by commas, when it was a dead letter before.</summary>
    public const string Path = "danube.path";

    /// <summary>Index of a chunk of a large message that is not whole: each of its chunks is a dead letter by itself.</summary>
    public const string Chunk = "danube.chunk";

    /// <summary>How often it was delivered.</summary>
    public const string Deliveries = "danube.deliveries";
}
