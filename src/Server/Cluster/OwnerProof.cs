namespace Danube.Fast.Server.Cluster;

/// <summary>
/// Until when this broker may acknowledge as an owner. Time runs on a clock that counts suspend, see <see cref="BootClock"/>.
/// Runs on: the proof loop writes; publish and ack paths read. Shared with: all of them, by one reference.
/// </summary>
internal sealed class OwnerProof(TimeProvider clock)
{
    /// <summary>How long an answered read of the own member key is trusted, counted from when the read was sent.</summary>
    public static readonly TimeSpan Trust = TimeSpan.FromSeconds(8);

    private long _last = clock.GetTimestamp();
    private volatile State _state = new(0, long.MinValue, long.MinValue);

    /// <summary>The session (create revision of the own member key) of the last proof; 0 without one.</summary>
    public long Session => _state.Session;

    /// <summary>True while this session may acknowledge: its member key was certainly there a short time ago.</summary>
    public bool Covers(long session)
    {
        State state = _state;
        return session != 0 && state.Session == session && clock.GetTimestamp() < state.Until;
    }

    /// <summary>Time since the last proof was sent; null without one.</summary>
    public TimeSpan? Age
    {
        get
        {
            State state = _state;
            return state.Session == 0 ? null : clock.GetElapsedTime(state.Sent);
        }
    }

    /// <summary>Time since the last proof was sent, whatever came of its session; without one, since the start.</summary>
    public TimeSpan SinceLast => clock.GetElapsedTime(Interlocked.Read(ref _last));

    /// <summary>The store has shown the own member key with this session, in answer to a read that was sent then.</summary>
    public void Prove(long session, long sentTimestamp)
    {
        long until = sentTimestamp + (long)(Trust.TotalSeconds * clock.TimestampFrequency);
        Interlocked.Exchange(ref _last, sentTimestamp);
        _state = new State(session, sentTimestamp, until);
    }

    /// <summary>The member key is gone or somebody else's: nothing is acknowledged from now on.</summary>
    public void Lose() => _state = new State(0, long.MinValue, long.MinValue);

    private sealed record State(long Session, long Sent, long Until);
}
