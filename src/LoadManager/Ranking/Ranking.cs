namespace Danube.Fast.LoadManager;

/// <summary>Where a broker stands.</summary>
public enum BrokerStanding
{
    /// <summary>Ranked, and may receive topics.</summary>
    Ranked = 0,

    /// <summary>Ranked, but receives nothing: a reading was missing three reports in a row.</summary>
    Unreadable = 1,

    /// <summary>Not ranked: no new report for three intervals.</summary>
    Stale = 2,

    /// <summary>Not ranked: draining, drained or not registered.</summary>
    Inactive = 3,
}

/// <summary>A broker in a ranking.</summary>
/// <param name="Id">The broker.</param>
/// <param name="Score">Lower is better; NaN when it is not ranked.</param>
/// <param name="Standing">Whether it may receive topics.</param>
/// <param name="Missing">Factors without a reading, for which the mean of the cluster was taken: bit n = <see cref="LoadFactor"/> n.</param>
public readonly record struct RankedBroker(long Id, double Score, BrokerStanding Standing, int Missing)
{
    /// <summary>True when it has a score.</summary>
    public bool IsRanked => Standing is BrokerStanding.Ranked or BrokerStanding.Unreadable;

    /// <summary>Names of the factors in <see cref="Missing"/>.</summary>
    public IEnumerable<string> MissingNames()
    {
        int missing = Missing;
        return Enumerable.Range(0, LoadFactors.Count).Where(f => (missing & (1 << f)) != 0).Select(f => ((LoadFactor)f).Name());
    }
}

/// <summary>All brokers of a cluster, the least loaded first, then those without a score by id.</summary>
public sealed class Ranking
{
    private readonly RankedBroker[] _brokers;

    internal Ranking(RankingAlgorithm algorithm, long generation, long assignmentsRevision, RankedBroker[] brokers)
    {
        Algorithm = algorithm;
        Generation = generation;
        AssignmentsRevision = assignmentsRevision;
        _brokers = brokers;
        Imbalance = LoadManager.Imbalance.Of(brokers);
    }

    public RankingAlgorithm Algorithm { get; }

    /// <summary>Generation of the board that it was made of.</summary>
    public long Generation { get; }

    /// <summary>Revision of the assignments that it was made of.</summary>
    public long AssignmentsRevision { get; }

    public ReadOnlySpan<RankedBroker> Brokers => _brokers;

    /// <summary>Standard deviation over mean of the scores.</summary>
    public double Imbalance { get; }

    /// <summary>The entry of a broker, or null.</summary>
    public RankedBroker? Find(long id)
    {
        int index = Array.FindIndex(_brokers, b => b.Id == id);
        return index < 0 ? null : _brokers[index];
    }
}
