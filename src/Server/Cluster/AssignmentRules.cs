using Danube.Fast.Core;

namespace Danube.Fast.Server.Cluster;

/// <summary>
/// The transitions of an assignment, as pure functions: each returns the record to write, or null when the transition does not exist.
/// What must still hold at the moment of writing is compared by <see cref="AssignmentWrites"/>.
/// </summary>
internal static class AssignmentRules
{
    /// <summary>
    /// How long a leader must have seen an owner's member key gone before it hands a topic on. Longer than an owner trusts a proof
    /// (<see cref="OwnerProof.Trust"/>), which it read before its key went.
    /// </summary>
    public static readonly TimeSpan HandOverDelay = TimeSpan.FromSeconds(10);

    /// <summary>The leader gives a topic to a broker.</summary>
    /// <param name="current">What is there now, null for nothing.</param>
    /// <param name="ownerIsGone">The session that the record names has been gone for <see cref="HandOverDelay"/>, as this leader saw it.</param>
    /// <param name="durability">Decides whether somebody else can read what the owner stored.</param>
    /// <param name="topicId">Create revision of the topic's key.</param>
    /// <param name="target">The broker, with its session.</param>
    /// <param name="targetSession">The session that the target's member key shows.</param>
    public static Assignment? Assign(
        Assignment? current, bool ownerIsGone, DurabilityClass durability, long topicId, int target, long targetSession)
    {
        bool isFree = current is null || IsFree(current, topicId);
        if (!isFree && !(ownerIsGone && MayBeTaken(current!, durability, topicId)))
        {
            return null;
        }

        bool goesOn = current is not null && current.TopicId == topicId
            && (isFree || durability != DurabilityClass.Memory);
        return new Assignment
        {
            TopicId = topicId,
            Owner = target,
            Session = targetSession,
            Epoch = (current?.Epoch ?? 0) + 1,
            State = AssignmentState.Assigned,
            StartOffset = goesOn ? current!.StartOffset : 0,
        };
    }

    /// <summary>The owner has opened the log and begins to serve, or begins again after a restart. Every opening raises the epoch.</summary>
    /// <param name="current">What is there now.</param>
    /// <param name="me">This broker.</param>
    /// <param name="mySession">Its session.</param>
    /// <param name="highestEpoch">Highest epoch in the log or the object store's manifest; 0 for none.</param>
    public static Assignment? Serve(Assignment current, int me, long mySession, long highestEpoch)
    {
        bool mayBegin = current.State == AssignmentState.Assigned
            || (current.State == AssignmentState.Serving && current.Session != mySession);
        return current.Owner != me || !mayBegin ? null : current with
        {
            Session = mySession,
            Epoch = Math.Max(current.Epoch, highestEpoch) + 1,
            State = AssignmentState.Serving,
            Reason = null,
        };
    }

    /// <summary>The owner cannot open what it was assigned.</summary>
    public static Assignment? Fail(Assignment current, int me, long mySession, string reason) =>
        current.Owner != me || current.State != AssignmentState.Assigned ? null : current with
        {
            Session = mySession,
            State = AssignmentState.Failed,
            Reason = reason,
        };

    /// <summary>The leader asks the owner to give the topic up.</summary>
    public static Assignment? RequestRelease(Assignment current) =>
        current.State == AssignmentState.Serving ? current with { State = AssignmentState.Releasing } : null;

    /// <summary>The leader takes its request back; it loses against an owner that has released already.</summary>
    public static Assignment? CancelRelease(Assignment current) =>
        current.State == AssignmentState.Releasing ? current with { State = AssignmentState.Serving } : null;

    /// <summary>
    /// The owner has stopped, sealed the log and stored the cursors: on the leader's request, or of its own accord because it shuts down. There is
    /// no way back but a new assignment.
    /// </summary>
    public static Assignment? Release(Assignment current, int me, long mySession, long endOffset) =>
        current.Owner != me || !(current.State == AssignmentState.Releasing || (current.State == AssignmentState.Serving && current.Session == mySession)) ? null : current with
        {
            Session = mySession,
            State = AssignmentState.Released,
            StartOffset = endOffset,
        };

    /// <summary>True when nobody serves a topic with this record, whoever lives: it was given up, or could not be opened and its topic was made anew.</summary>
    public static bool IsFree(Assignment current, long topicId) =>
        current.State == AssignmentState.Released || (current.State == AssignmentState.Failed && current.TopicId != topicId);

    /// <summary>True when some broker serves a topic with this record, as long as its session lives.</summary>
    public static bool IsServed(Assignment current) => current.State is AssignmentState.Serving or AssignmentState.Releasing;

    /// <summary>True when a broker with this session serves a topic with this record.</summary>
    public static bool Serves(Assignment current, int me, long mySession) =>
        current.Owner == me && current.Session == mySession
        && current.State is AssignmentState.Serving or AssignmentState.Releasing;

    // Nobody else has the bytes of an os or fsync topic. An owner that was only assigned, from offset 0 on, has stored none yet; what a
    // deleted topic stored under another id nobody will ask for.
    private static bool MayBeTaken(Assignment current, DurabilityClass durability, long topicId) =>
        durability is DurabilityClass.Memory or DurabilityClass.Object
        || current is { State: AssignmentState.Assigned, StartOffset: 0 }
        || current.TopicId != topicId;
}
