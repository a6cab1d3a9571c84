using Danube.Fast.LoadTests.Watch;

namespace Danube.Fast.LoadTests.Scenarios;

/// <summary>Settings of one run. A scenario in the catalog has its own defaults; the command line changes them.</summary>
public sealed record ScenarioSettings
{
    /// <summary>The broker, <c>danube://host:port</c>.</summary>
    public string Url { get; init; } = "";

    /// <summary>Payload bytes, 16 or more.</summary>
    public int SizeBytes { get; init; } = 1024;

    /// <summary><c>fsync</c>, <c>os</c> or <c>memory</c>.</summary>
    public string Durability { get; init; } = "fsync";

    /// <summary>Messages per second that are injected, over all producers.</summary>
    public double Rate { get; init; } = 10_000;
    public int Producers { get; init; } = 1;
    public int Consumers { get; init; } = 1;
    public int Connections { get; init; }
    public int Topics { get; init; } = 1;

    /// <summary>Keys of key-shared.</summary>
    public int Keys { get; init; }

    /// <summary>Recorded load.</summary>
    public TimeSpan During { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Load before it that is not recorded.</summary>
    public TimeSpan WarmUp { get; init; } = TimeSpan.FromSeconds(4);

    /// <summary>The run fails above this; null = no such threshold.</summary>
    public double? MaxPublishP99Ms { get; init; } = 500;

    /// <summary>The run fails above this; null = no such threshold.</summary>
    public double? MaxEndToEndP99Ms { get; init; } = 500;

    /// <summary>The run fails when the memory of the broker grows faster, MB per hour (soak).</summary>
    public double MaxMemorySlope { get; init; } = 20;

    /// <summary>Topics of the run are deleted at its end: not needed when the broker goes too.</summary>
    public bool DeletesTopics { get; init; } = true;

    /// <summary>What can be seen of the broker process.</summary>
    public BrokerWatch Broker { get; init; } = new(null, null);
}
