namespace Danube.Fast.Cli.Bench;

/// <summary>What the options of <c>bench</c> ask for.</summary>
internal sealed record BenchSettings
{
    public required string Url { get; init; }

    /// <summary>Null = a topic for this run alone, which is deleted at the end.</summary>
    public string? Topic { get; init; }

    /// <summary>Measured time, behind the warm-up.</summary>
    public TimeSpan Length { get; init; }
    public int MessageBytes { get; init; }
    public string? Durability { get; init; }
    public string? Compression { get; init; }
    public int? BatchBytes { get; init; }
    public int Producers { get; init; }

    /// <summary>0 = only publishes.</summary>
    public int Consumers { get; init; }

    /// <summary>Messages per second over all producers; null = as fast as it goes.</summary>
    public double? Rate { get; init; }
}
