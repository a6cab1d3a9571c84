using Danube.Fast.Core;

namespace Danube.Fast.Wal;

// Commits through the journal. Runs on: the committer, which holds the commit locks of all logs of a group while that is written.
internal sealed partial class DurableLog
{
    private const int MaxSegmentsInGroup = 8;

    // Who only notes something under the commit lock has left it by then. Who closes the log or deletes its front may be syncing it: the other logs of the group do not wait for that.
    private const int LockPatienceMs = 1;

    // Under the commit lock, from joining a group to its end.
    private long _groupTarget;
    private int _firstPart;
    private int _partCount;

    /// <summary>True when the journal's next group may take this log. A hint. Runs on: any thread.</summary>
    internal bool HasLittleToCommit
    {
        get
        {
            if (Durability < DurabilityClass.Fsync || !IsReady || HasFailed || _poisonFound)
            {
                return false;
            }

            Segment[] segments = Volatile.Read(ref _segments);
            return segments.Length > 0 && segments[^1] is { NeedsSync: false } last
                && last.CommittedPosition - last.DurablePosition < _directory.Options.JournalThresholdBytes;
        }
    }

    /// <summary>
    /// Puts what is new into the group. After <see cref="GroupAnswer.Joined"/> the commit lock is held until <see cref="EndGroup"/>.
    /// </summary>
    internal GroupAnswer JoinGroup(Journal journal, List<GroupPart> parts)
    {
        GroupAnswer answer = GroupAnswer.TooLarge;
        if (!_commitLock.TryEnter(LockPatienceMs))
        {
            return answer;
        }

        try
        {
            if (!HasFailed && IsReady && !_poisonFound)
            {
                answer = TryJoin(journal, parts);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ObjectDisposedException)
        {
            if (!IoErrors.IsOutOfHandles(error))
            {
                Fail(error); // The sync thread that runs this log next reports it.
            }
        }
        finally
        {
            if (answer != GroupAnswer.Joined)
            {
                _commitLock.Exit();
            }
        }

        return answer;
    }

    /// <summary>The group is on the disk, or was not written.</summary>
    internal void EndGroup(bool durable, List<GroupPart> parts)
    {
        if (durable && !HasFailed)
        {
            for (int i = _firstPart; i < _firstPart + _partCount; i++)
            {
                Segment segment = parts[i].Segment;
                segment.DurablePosition = Math.Max(segment.DurablePosition, parts[i].Position);
                segment.IsHeaderJournaled = true;
                _directory.WriteBehind.Ask(segment, parts[i].Position);
            }

            MoveDurable(_groupTarget);
        }

        _commitLock.Exit();
    }

    private GroupAnswer TryJoin(Journal journal, List<GroupPart> parts)
    {
        // The target before the segments and their positions, as in CommitSegments.
        long target = Volatile.Read(ref _committed);
        Segment[] segments = Volatile.Read(ref _segments);
        int first = FirstOpen(segments);
        Span<long> ends = stackalloc long[MaxSegmentsInGroup];
        if (segments.Length - first > ends.Length || !TryMeasure(segments.AsSpan(first), ends, out long bytes, out int entries))
        {
            return GroupAnswer.TooLarge;
        }

        if (entries == 0)
        {
            MoveDurable(target);
            return GroupAnswer.Nothing;
        }

        if (!journal.HasRoom(bytes, entries))
        {
            return GroupAnswer.NoRoom;
        }

        int firstPart = parts.Count;
        for (int i = first; i < segments.Length; i++)
        {
            long end = i + 1 < segments.Length ? Math.Min(target, segments[i + 1].BaseOffset) : target;
            AddTo(journal, parts, segments[i], ends[i - first], end);
        }

        (_groupTarget, _firstPart, _partCount) = (target, firstPart, parts.Count - firstPart);
        return GroupAnswer.Joined;
    }

    // What each segment has for the journal. False when that is too much, or when recovered bytes need a sync of the file.
    private bool TryMeasure(ReadOnlySpan<Segment> segments, Span<long> ends, out long bytes, out int entries)
    {
        bytes = 0;
        entries = 0;
        for (int i = 0; i < segments.Length; i++)
        {
            Segment segment = segments[i];
            if (segment.NeedsSync)
            {
                return false;
            }

            CloseIfSynced(segment);
            ends[i] = segment.CommittedPosition;
            long length = ends[i] - JournalFrom(segment);
            bytes += length;
            entries += length > 0 ? 1 : 0;
        }

        return bytes <= _directory.Options.JournalThresholdBytes + SegmentHeader.Size;
    }

    // A checkpoint that came before the seal has synced all there is: nobody else would close the file.
    private static void CloseIfSynced(Segment segment)
    {
        if (segment.IsSealed && !segment.IsDone && segment.IsEntrySynced && segment.SyncedPosition == segment.CommittedPosition)
        {
            segment.Complete(segment.CommittedPosition);
        }
    }

    private static long JournalFrom(Segment segment) => segment.IsHeaderDurable ? segment.DurablePosition : 0;

    private void AddTo(Journal journal, List<GroupPart> parts, Segment segment, long position, long endOffset)
    {
        long from = JournalFrom(segment);
        int length = (int)(position - from);
        if (length == 0)
        {
            return;
        }

        segment.File ??= _files.Open(segment.Path);
        if (segment.File.Read(journal.DataRoom(length), from) != length)
        {
            throw new IOException($"{segment.Path} ends before what was written to it.");
        }

        segment.Dirt ??= new SegmentDirt(this, segment);
        long firstOffset = Math.Clamp(Volatile.Read(ref _durable), segment.BaseOffset, Math.Max(segment.BaseOffset, endOffset));
        ulong lsn = journal.Add(new JournalEntry(0, 0, 0, TopicId, segment.BaseOffset, from, firstOffset, Math.Max(firstOffset, endOffset), segment.Generation, length));
        parts.Add(new GroupPart(segment, position, lsn));
    }
}
