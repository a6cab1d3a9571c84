namespace Danube.Fast.Cli.Produce;

/// <summary>What the options of <c>produce</c> ask for.</summary>
internal sealed record ProduceSettings
{
    public required string Url { get; init; }
    public required string Topic { get; init; }

    /// <summary>Name of the producer; null = one that the client makes up.</summary>
    public string? Name { get; init; }
    public string? Durability { get; init; }
    public string? Compression { get; init; }

    /// <summary>Most bytes of a batch; null = the client's default.</summary>
    public int? BatchBytes { get; init; }

    /// <summary>Messages per second; null = as fast as it goes.</summary>
    public double? Rate { get; init; }

    /// <summary>Messages to send at most; null = all there are.</summary>
    public long? Count { get; init; }

    /// <summary>Messages from the command line; empty = lines of <see cref="File"/>.</summary>
    public string[] Messages { get; init; } = [];

    /// <summary>File with one message per line; null = standard input.</summary>
    public string? File { get; init; }
    public KeySelector? Keys { get; init; }
    public LineEncoding Encoding { get; init; }
    public TimeSpan Delay { get; init; }

    /// <summary>Zero = what the topic says.</summary>
    public TimeSpan TimeToLive { get; init; }
}
