namespace Danube.Fast.LoadTests.Scenarios;

/// <summary>Settings of a load test run.</summary>
public sealed record ScenarioSettings
{
    public required string Url { get; init; }
    public int SizeBytes { get; init; } = 256;
    public string Durability { get; init; } = "fsync";

    /// <summary>Messages per second, open model; 0 = closed model with <see cref="Copies"/>.</summary>
    public int Rate { get; init; }

    /// <summary>Iterations at a time of the closed model.</summary>
    public int Copies { get; init; } = 64;
    public TimeSpan During { get; init; } = TimeSpan.FromSeconds(15);
    public TimeSpan WarmUp { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Producers of fan-in; consumers of fan-out and work-queue.</summary>
    public int Width { get; init; } = 4;

    /// <summary>Threshold on the 99th percentile of the publish step; 0 = none.</summary>
    public double MaxPublishP99Ms { get; init; }

    /// <summary>Threshold on the 99th percentile of the end-to-end step; 0 = none.</summary>
    public double MaxEndToEndP99Ms { get; init; }
}
