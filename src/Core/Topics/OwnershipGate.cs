namespace Danube.Fast.Core;

/// <summary>
/// Whether this broker may act as the owner of a topic at this moment. Brokers that share topics have one per session; a broker that is alone
/// has none. Without proof nothing new becomes visible and nothing is acknowledged; what was decided in time stays true.
/// Runs on: publishers, the committer, dispatchers. Shared with: the loop that proves.
/// </summary>
public abstract class OwnershipGate
{
    /// <summary>True while the proof covers this moment. Cheap and without allocation: asked once per batch.</summary>
    public abstract bool MayAcknowledge { get; }
}
