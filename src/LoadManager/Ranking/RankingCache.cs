namespace Danube.Fast.LoadManager;

/// <summary>
/// Keeps the last ranking until a report or an assignment changes, at most one report interval (then reports may have become stale). Whoever
/// comes while it is computed waits for that one computation. Any thread may use it.
/// </summary>
public sealed class RankingCache(TimeSpan timeToLive, TimeProvider clock)
{
    private readonly Lock _gate = new();
    private Ranking? _ranking;
    private long _computedAt;
    private long _computations;

    /// <summary>How often a ranking was computed.</summary>
    public long Computations => Volatile.Read(ref _computations);

    /// <summary>The ranking of a generation of reports and a revision of assignments.</summary>
    public Ranking GetOrCompute(long generation, long assignmentsRevision, Func<Ranking> compute)
    {
        ArgumentNullException.ThrowIfNull(compute);
        lock (_gate)
        {
            if (_ranking is { } kept && kept.Generation == generation && kept.AssignmentsRevision == assignmentsRevision && clock.GetElapsedTime(_computedAt) < timeToLive)
            {
                return kept;
            }

            // The time of the start: what becomes stale meanwhile is not missed.
            long now = clock.GetTimestamp();
            Ranking ranking = compute();
            Interlocked.Increment(ref _computations);
            (_ranking, _computedAt) = (ranking, now);
            return ranking;
        }
    }
}
