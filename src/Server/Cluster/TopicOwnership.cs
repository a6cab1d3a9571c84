using Danube.Fast.Metadata;

namespace Danube.Fast.Server.Cluster;

/// <summary>
/// The owner's side of one topic, without I/O: what this broker knows of the assignment, whether it serves, and what it should write
/// next. News may come twice, late and in any order (a view, a read, the answer to an own write); only newer ones count.
/// Runs on: the owner's loop. Shared with: nobody.
/// </summary>
internal sealed class TopicOwnership(string topic, int me)
{
    private MetadataEntry? _entry;
    private Assignment? _known;
    private long _knownRevision;
    private long _stoppedAt;

    /// <summary>The assignment as it is known; null when there is none.</summary>
    public Assignment? Known => _known;

    /// <summary>Revision of what is known; 0 for nothing.</summary>
    public long KnownRevision => _knownRevision;

    /// <summary>
    /// True when this broker serves the topic under a session. It may acknowledge while <see cref="OwnerProof.Covers"/> says so too.
    /// </summary>
    public bool Serves(long session) =>
        session != 0 && _known is not null && _stoppedAt != _knownRevision && AssignmentRules.Serves(_known, me, session);

    /// <summary>Takes note of the assignment's entry.</summary>
    /// <param name="entry">The entry, null when the key is not there.</param>
    /// <param name="asOf">The revision at which the store had this (of the snapshot, the listing or the answer).</param>
    public void Observe(MetadataEntry? entry, long asOf)
    {
        long revision = entry?.Revision ?? asOf;
        if (revision <= _knownRevision)
        {
            return;
        }

        _entry = entry;
        _known = entry is null ? null : Assignment.Decode(entry);
        _knownRevision = revision;
    }

    /// <summary>
    /// True when an answer of the store is older than what is known: the store has gone back to an older state, of which nothing else may tell once its revisions have
    /// passed those that were known.
    /// </summary>
    /// <param name="entry">The entry that the store certainly has now, null when the key is not there.</param>
    /// <param name="asOf">The revision of the answer.</param>
    public bool IsAheadOf(MetadataEntry? entry, long asOf) => (entry?.Revision ?? asOf) < _knownRevision;

    /// <summary>Takes note of what the store certainly has now, in answer to a write or a read, also when that <see cref="IsAheadOf">is older</see>.</summary>
    public void ObserveNow(MetadataEntry? entry, long asOf)
    {
        if (IsAheadOf(entry, asOf))
        {
            Forget();
        }

        Observe(entry, asOf);
    }

    /// <summary>Forgets everything: the store has gone back to an older state, and its revisions mean something else now.</summary>
    public void Forget() => (_entry, _known, _knownRevision, _stoppedAt) = (null, null, 0, 0);

    /// <summary>The record to write so that this broker serves, or null when there is nothing to begin.</summary>
    public Assignment? ToServe(long session, long highestEpoch) =>
        _known is null ? null : AssignmentRules.Serve(_known, me, session, highestEpoch);

    /// <summary>The record to write when the topic cannot be opened.</summary>
    public Assignment? ToFail(long session, string reason) =>
        _known is null ? null : AssignmentRules.Fail(_known, me, session, reason);

    /// <summary>True when the leader asks for the topic.</summary>
    public bool IsAskedToRelease => _known is { State: AssignmentState.Releasing } && _known.Owner == me;

    /// <summary>
    /// Stops serving, for good as far as this request goes: from here on <see cref="Serves"/> is false, even when the write that gives the
    /// topic up gets lost, until the store shows that the leader has taken its request back.
    /// </summary>
    public void Stop() => _stoppedAt = _knownRevision;

    /// <summary>The record to write after <see cref="Stop"/>, with the log sealed and the cursors stored.</summary>
    public Assignment? ToRelease(long session, long endOffset) =>
        _known is null || _stoppedAt != _knownRevision ? null : AssignmentRules.Release(_known, me, session, endOffset);

    /// <summary>The transaction for a record of this class.</summary>
    public MetadataTransaction Write(long session, Assignment next) => AssignmentWrites.ByOwner(me, session, topic, _entry!, next);

    /// <summary>Adds the write of a record of this class to a transaction of several topics (<see cref="AssignmentWrites.Owner"/>).</summary>
    public void AddTo(MetadataTransaction transaction, Assignment next) => AssignmentWrites.Add(transaction, topic, _entry!, next);

    /// <summary>Takes note of an own write that was made.</summary>
    public void OnWritten(Assignment next, long revision) =>
        Observe(_entry! with { Value = next.Encode(), Revision = revision, Version = _entry.Version + 1 }, revision);
}
