namespace Danube.Fast.LoadManager;

/// <summary>Numbers of the ranking and of placement that are not configurable.</summary>
internal static class RankingRules
{
    /// <summary>So many reports in a row without a reading, and the broker receives nothing.</summary>
    public const int MissingReportsUntilNothing = 3;

    /// <summary>Scores this close to the best are equal when a topic is placed: the number of topics decides.</summary>
    public const double EqualScores = 0.10;

    /// <summary>Namespace affinity may cost this much.</summary>
    public const double AffinityScores = 0.05;

    /// <summary>Share of a capacity that requirements may fill.</summary>
    public const double UsableShare = 0.90;

    /// <summary>Processor use up to which a broker takes processor-intensive and low-latency topics, percent.</summary>
    public const double BusyCpuPercent = 70;

    /// <summary>A low-latency topic avoids brokers that publish this much slower than the median.</summary>
    public const double SlowFactor = 2;
}
