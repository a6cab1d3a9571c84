namespace Danube.Fast.LoadManager;

/// <summary>Weights of the factors in <see cref="RankingAlgorithm.WeightedComposite"/>: each from 0 to 1, together 1.0 within 0.001.</summary>
public sealed record RankingWeights
{
    /// <summary>How far the sum may be from 1.</summary>
    public const double SumTolerance = 0.001;

    public double Cpu { get; init; } = 0.25;
    public double Memory { get; init; } = 0.20;
    public double DiskIo { get; init; } = 0.15;
    public double NetworkIo { get; init; } = 0.10;
    public double Throughput { get; init; } = 0.15;
    public double TopicCount { get; init; } = 0.10;
    public double DiskUsage { get; init; } = 0.05;

    /// <summary>Sum of all weights.</summary>
    public double Sum => Cpu + Memory + DiskIo + NetworkIo + Throughput + TopicCount + DiskUsage;

    /// <summary>The weight of a factor.</summary>
    public double Of(LoadFactor factor) => factor switch
    {
        LoadFactor.Cpu => Cpu,
        LoadFactor.Memory => Memory,
        LoadFactor.DiskIo => DiskIo,
        LoadFactor.NetworkIo => NetworkIo,
        LoadFactor.Throughput => Throughput,
        LoadFactor.TopicCount => TopicCount,
        _ => DiskUsage,
    };

    internal IEnumerable<(string Key, double Value)> Named() =>
    [
        ("cpu", Cpu), ("memory", Memory), ("disk_io", DiskIo), ("network_io", NetworkIo),
        ("throughput", Throughput), ("topic_count", TopicCount), ("disk_usage", DiskUsage),
    ];
}
