using Danube.Fast.Core;

namespace Danube.Fast.Server.Cluster;

/// <summary>
/// The proof of one session, as topics ask for it. A session that has ended never proves anything again: what was opened under it is opened anew.
/// Runs on: publish and ack paths. Shared with: all topics that were opened under the session.
/// </summary>
internal sealed class OwnerGate(OwnerProof proof, long session) : OwnershipGate
{
    /// <inheritdoc/>
    public override bool MayAcknowledge => proof.Covers(session);
}
