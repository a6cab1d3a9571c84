namespace Danube.Fast.LoadManager;

/// <summary>How brokers are scored; lower is better in all of them.</summary>
public enum RankingAlgorithm
{
    /// <summary>The number of topics.</summary>
    Simple = 0,

    /// <summary>Seven factors, each divided by the cluster's largest, weighted by <see cref="RankingWeights"/>.</summary>
    WeightedComposite = 1,

    /// <summary>The highest utilisation of capacity: a sum hides one saturated resource.</summary>
    Bottleneck = 2,
}
