using Danube.Fast.Core;

namespace Danube.Fast.Server.Cluster;

/// <summary>Answer of <see cref="IOwnerActions.PrepareAsync"/>.</summary>
/// <param name="Status">What came of it.</param>
/// <param name="HighestEpoch">Ready: highest epoch in the log; 0 for none.</param>
/// <param name="Reason">Failed: why, a sentence for people.</param>
/// <param name="MayPass">Failed: another attempt may succeed.</param>
internal readonly record struct PreparedTopic(PrepareStatus Status, long HighestEpoch = 0, string Reason = "", bool MayPass = false);

/// <summary>What came of opening a topic's log.</summary>
internal enum PrepareStatus
{
    /// <summary>Open; nobody is let in yet.</summary>
    Ready,

    /// <summary>The catalogue does not show this topic (any more, or yet): look again when it changes.</summary>
    Unknown,

    /// <summary>It cannot be opened.</summary>
    Failed,
}

/// <summary>Why a topic is stopped.</summary>
internal enum StopReason
{
    /// <summary>The leader asks for it; only when nothing in it would be lost.</summary>
    Release,

    /// <summary>It is being deleted: the same, with whatever is in it.</summary>
    Delete,

    /// <summary>It is another broker's, nobody's, or was served under a session that has ended.</summary>
    NotOwner,
}

/// <summary>Answer of <see cref="IOwnerActions.StopAsync"/>.</summary>
/// <param name="EndOffset">Offset of the next record, whoever writes it.</param>
/// <param name="HasRecords">Something readable is left, or a subscription that is not at the end: nobody else may go on from here.</param>
internal readonly record struct StoppedTopic(long EndOffset, bool HasRecords);

/// <summary>What the owner loop does to a topic. Calls for one topic never overlap; those for different topics do.</summary>
internal interface IOwnerActions
{
    /// <summary>Opens the log and the subscriptions, lets nobody in, and appends nothing. What is open of the topic is closed before.</summary>
    /// <param name="topic"><c>/namespace/name</c>.</param>
    /// <param name="assignment">As it is now: assigned to this broker, or served by it under a session that has ended.</param>
    /// <param name="gate">The proof under which it will acknowledge.</param>
    /// <param name="cancellationToken">Gives up waiting for others.</param>
    ValueTask<PreparedTopic> PrepareAsync(string topic, Assignment assignment, OwnershipGate gate, CancellationToken cancellationToken);

    /// <summary>Lets producers and consumers in: the assignment says <c>serving</c> with this epoch.</summary>
    void Activate(string topic, uint epoch);

    /// <summary>True when a topic that this broker serves can be given to another one without losing a record or a position.</summary>
    bool MayRelease(string topic);

    /// <summary>True when nothing of the topic outlives this process.</summary>
    bool IsInMemory(string topic);

    /// <summary>True when the catalogue says that the topic is being deleted, or was made anew under a later id.</summary>
    bool IsDeleting(string topic, long topicId);

    /// <summary>Closes the topic with everything that is safe. Nothing is acknowledged and delivered any more when it returns.</summary>
    ValueTask<StoppedTopic> StopAsync(string topic, StopReason why, CancellationToken cancellationToken);

    /// <summary>The topic was given up, with nothing in it: what this broker still has of it goes.</summary>
    void Discard(string topic, long topicId);

    /// <summary>Puts aside what lies here and is no topic of the catalogue. Before the first topic is opened.</summary>
    void ParkForeign();
}
