namespace Danube.Fast.Wal;

/// <summary>A data directory as it lies on the disk.</summary>
/// <param name="Path">Absolute path.</param>
/// <param name="Slots">The slots of the checkpoint.</param>
/// <param name="CursorFile">The record file of cursors and log states.</param>
/// <param name="Journal">The commit journal.</param>
/// <param name="Logs">Logs by topic id, with what the journal brings.</param>
/// <param name="DeletedLogs">Deleted logs whose files are not removed yet; the next start does that.</param>
public sealed record DirectoryPicture(
    string Path, IReadOnlyList<SlotPicture> Slots, RecordFilePicture CursorFile, JournalPicture Journal, IReadOnlyList<LogPicture> Logs, int DeletedLogs)
{
    /// <summary>A sentence for everything that is lost or unreadable; nothing for a torn tail, which nobody had an acknowledgement for.</summary>
    public IReadOnlyList<string> Faults
    {
        get
        {
            var faults = new List<string>();
            faults.AddRange(Slots.Where(s => s.State == SlotState.Bad).Select(s => $"Slot {s.Index} of the checkpoint cannot be read."));
            if (Slots.All(s => s.State != SlotState.Good))
            {
                faults.Add("The checkpoint has no good slot.");
            }

            if (CursorFile.DamagedBytes > 0)
            {
                faults.Add($"{CursorFile.DamagedBytes} bytes of cursors.log cannot be read although they were on the disk.");
            }

            if (CursorFile.LacksEnd)
            {
                faults.Add("cursors.log has lost its end, although the last stop was in order.");
            }

            faults.AddRange(Journal.Faults);
            faults.AddRange(Logs.SelectMany(l => l.Faults));
            return faults;
        }
    }
}

/// <summary>What a checkpoint slot is.</summary>
public enum SlotState
{
    /// <summary>Never written.</summary>
    Empty,
    Good,
    Bad,
}

/// <summary>One slot of the checkpoint; the good one with the highest number counts.</summary>
/// <param name="Index">0 or 1.</param>
/// <param name="State">Whether the rest means anything.</param>
/// <param name="Number">One more with every write.</param>
/// <param name="Incarnation">One more with every open of the directory.</param>
/// <param name="TailLsn">Where replay of the journal begins; 0: there is none.</param>
/// <param name="GenerationReserve">Generations below it may be in use.</param>
/// <param name="IsClean">Written by an orderly stop.</param>
/// <param name="IsSuspect">A log was poisoned and its marker could not be written.</param>
/// <param name="Written">When.</param>
public sealed record SlotPicture(
    int Index, SlotState State, ulong Number, ulong Incarnation, ulong TailLsn, uint GenerationReserve, bool IsClean, bool IsSuspect, DateTimeOffset Written);

/// <summary>A record file.</summary>
/// <param name="Bytes">Length of the file, 0 when there is none.</param>
/// <param name="Records">Live records.</param>
/// <param name="DamagedBytes">Bytes that were on the disk and cannot be read.</param>
/// <param name="TornBytes">Bytes behind the last good record that no sync had covered.</param>
/// <param name="LacksEnd">Records of the last orderly stop are gone.</param>
public sealed record RecordFilePicture(long Bytes, int Records, long DamagedBytes, long TornBytes, bool LacksEnd);

/// <summary>One segment file.</summary>
/// <param name="Name">File name.</param>
/// <param name="BaseOffset">Offset of its first frame, from the name.</param>
/// <param name="Bytes">Length of the file.</param>
/// <param name="HasHeader">The header is whole and names this topic and offset.</param>
/// <param name="Generation">Taken for the segment.</param>
/// <param name="Epoch">Topic epoch.</param>
/// <param name="Created">When.</param>
/// <param name="ForeignTopicId">The topic that the header names when it is sound and names another one: nothing in the file counts. Else null.</param>
public sealed record SegmentPicture(string Name, long BaseOffset, long Bytes, bool HasHeader, uint Generation, uint Epoch, DateTimeOffset Created, ulong? ForeignTopicId);

/// <summary>A saved cursor.</summary>
/// <param name="Subscription">Its name.</param>
/// <param name="Bytes">Size of the saved state.</param>
/// <param name="State">What it says; null when it is of no known version.</param>
public sealed record CursorPicture(string Subscription, int Bytes, Core.SavedCursor? State);

/// <summary>What a whole scan found, by the rules of recovery.</summary>
/// <param name="End">Next offset.</param>
/// <param name="ScannedBytes">Bytes read.</param>
/// <param name="LeftBehindBytes">Bytes of a torn tail.</param>
/// <param name="Damages">Offsets that were acknowledged and cannot be read.</param>
/// <param name="Error">Why the scan could not decide; null when it did.</param>
public sealed record ScanPicture(long End, long ScannedBytes, long LeftBehindBytes, IReadOnlyList<DamagedRange> Damages, string? Error);

/// <summary>One log.</summary>
/// <param name="TopicId">Its topic.</param>
/// <param name="Segments">By base offset.</param>
/// <param name="Cursors">By subscription.</param>
/// <param name="LogStart">First offset kept, as recorded.</param>
/// <param name="DurableEnd">Durable end, as recorded; the log may go on behind it.</param>
/// <param name="IsClean">Closed by an orderly stop.</param>
/// <param name="PoisonedEnd">Durable end in the poison marker; null when there is none.</param>
/// <param name="Snapshot">The producer snapshot: a few words.</param>
/// <param name="HasBadSnapshot">There is one and it cannot be read; the next open replays the log instead.</param>
/// <param name="Scan">When the log was verified.</param>
public sealed record LogPicture(
    ulong TopicId, IReadOnlyList<SegmentPicture> Segments, IReadOnlyList<CursorPicture> Cursors, long LogStart, long DurableEnd, bool IsClean, long? PoisonedEnd,
    string Snapshot, bool HasBadSnapshot, ScanPicture? Scan)
{
    internal IEnumerable<string> Faults
    {
        get
        {
            foreach (DamagedRange damage in Scan?.Damages ?? [])
            {
                yield return $"Topic {TopicId}: offsets {damage.From} to {damage.To - 1} were acknowledged and cannot be read.";
            }

            foreach (SegmentPicture segment in Segments.Where(s => s.ForeignTopicId is not null))
            {
                yield return $"Topic {TopicId}: {segment.Name} is a segment of topic {segment.ForeignTopicId} and does not belong here; nothing in it counts. Take it away.";
            }

            foreach (SegmentPicture segment in Segments.Where(s => !s.HasHeader && s.ForeignTopicId is null && s.BaseOffset < DurableEnd))
            {
                yield return $"Topic {TopicId}: the header of {segment.Name} cannot be read; frames in it count all the same, so that alone loses nothing.";
            }

            if (Scan?.Error is { } error)
            {
                yield return $"Topic {TopicId}: {error}";
            }

            if (PoisonedEnd is { } end)
            {
                yield return $"Topic {TopicId}: a write or sync failed; the log is good up to offset {end}, the next start decides about the rest.";
            }

            if (HasBadSnapshot)
            {
                yield return $"Topic {TopicId}: the producer snapshot cannot be read.";
            }

            foreach (CursorPicture cursor in Cursors.Where(c => c.State is null))
            {
                yield return $"Topic {TopicId}: the cursor of subscription {cursor.Subscription} cannot be read.";
            }
        }
    }
}
