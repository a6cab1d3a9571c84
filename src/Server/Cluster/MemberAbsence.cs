namespace Danube.Fast.Server.Cluster;

/// <summary>
/// Since when a leader has seen sessions gone, on its own clock. A new leader begins with nothing: what it finds gone at its first look
/// counts from that look. Sessions, not brokers: one that came back and went again between two looks has only just gone.
/// Runs on: the leader's loop. Shared with: nobody.
/// </summary>
internal sealed class MemberAbsence(TimeProvider clock)
{
    private readonly Dictionary<long, long> _goneSince = [];

    /// <summary>Notes at a look which of the sessions that own something are not there.</summary>
    /// <param name="owning">Sessions that assignments name.</param>
    /// <param name="present">Sessions of the member keys.</param>
    public void Observe(IReadOnlySet<long> owning, IReadOnlySet<long> present)
    {
        foreach (long ended in _goneSince.Keys.Where(s => !owning.Contains(s)).ToArray())
        {
            _goneSince.Remove(ended);
        }

        foreach (long session in owning)
        {
            if (present.Contains(session))
            {
                _goneSince.Remove(session);
            }
            else
            {
                _goneSince.TryAdd(session, clock.GetTimestamp());
            }
        }
    }

    /// <summary>True when this session was seen gone so long ago that nobody acknowledges under it any more.</summary>
    public bool IsOver(long session) => SeenGoneFor(session) >= AssignmentRules.HandOverDelay;

    /// <summary>Time since this leader first saw the session gone; null when it was there at the last look, or owns nothing.</summary>
    public TimeSpan? SeenGoneFor(long session) =>
        _goneSince.TryGetValue(session, out long since) ? clock.GetElapsedTime(since) : null;

    /// <summary>Forgets everything: this broker begins to lead anew.</summary>
    public void Reset() => _goneSince.Clear();
}
