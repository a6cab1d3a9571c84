namespace Danube.Fast.LoadManager;

/// <summary>
/// The section <c>load_manager</c> of the configuration. <see cref="LoadManagerValidation.Check"/> says what is wrong with one.
/// </summary>
public sealed record LoadManagerOptions
{
    /// <summary><c>ranking_algorithm</c>.</summary>
    public RankingAlgorithm RankingAlgorithm { get; init; } = RankingAlgorithm.WeightedComposite;

    /// <summary><c>ranking_weights</c>.</summary>
    public RankingWeights RankingWeights { get; init; } = new();

    /// <summary><c>placement_rules</c>.</summary>
    public PlacementRules PlacementRules { get; init; } = new();

    /// <summary><c>scope</c>.</summary>
    public ResourceScope Scope { get; init; } = ResourceScope.Host;

    /// <summary><c>capacity</c>.</summary>
    public CapacityOptions Capacity { get; init; } = new();

    /// <summary><c>max_topics</c>: topics that one broker should hold at most, 1 to 1,000,000.</summary>
    public int MaxTopics { get; init; } = 10_000;

    /// <summary><c>report_interval_seconds</c>: 1 to 3,600.</summary>
    public int ReportIntervalSeconds { get; init; } = 30;

    /// <summary><c>report_min_interval_seconds</c>: between a report and one that a large change asks for; 1 to the report interval.</summary>
    public int ReportMinIntervalSeconds { get; init; } = 5;

    /// <summary><c>report_change_points</c>: percentage points of utilisation that make a change large; above 0, at most 100.</summary>
    public double ReportChangePoints { get; init; } = 10;

    /// <summary><c>resource_sample_seconds</c>: between two readings of the machine, 1 to 5.</summary>
    public int ResourceSampleSeconds { get; init; } = 2;

    /// <summary>Time between two reports.</summary>
    public TimeSpan ReportInterval => TimeSpan.FromSeconds(ReportIntervalSeconds);

    /// <summary>How long a report counts as fresh without a new revision of its key.</summary>
    public TimeSpan StaleAfter => 3 * ReportInterval;
}
