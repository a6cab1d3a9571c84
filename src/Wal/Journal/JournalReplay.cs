using System.Globalization;
using Danube.Fast.Protocol;

namespace Danube.Fast.Wal;

/// <summary>
/// Writes the journal's entries into the segments that they belong to, before the directory is used: what they hold may be nowhere else. Entries of topics that are gone
/// and of deleted offsets are skipped; another missing file is damage. Writing an entry twice changes nothing, so a crash at any step repeats it.
/// Runs on: the thread that opens the directory.
/// </summary>
internal sealed class JournalReplay(WalFileSystem files, string topicsPath, StateStore store, JournalRing ring)
{
    /// <summary>Files kept open until their checkpoint; more are synced all together.</summary>
    public const int MaxOpenFiles = 4096;

    private readonly Dictionary<ulong, ReplayTopic> _topics = [];

    /// <summary>Files that were written, each with the LSN of its first entry, oldest first.</summary>
    public List<(ReplayedFile File, ulong Lsn)> Written { get; } = [];

    /// <summary>LSN behind the last good entry, at a block.</summary>
    public ulong Head { get; private set; }

    /// <summary>Highest incarnation of an entry.</summary>
    public ulong HighestIncarnation { get; private set; }

    public long Entries { get; private set; }

    /// <summary>Entries whose segment is missing although nothing says that it was deleted.</summary>
    public long MissingTargets { get; private set; }

    /// <summary>Bytes of the journal that had been on the disk and cannot be read any more.</summary>
    public long DamagedBytes { get; private set; }

    /// <summary>Replays from the tail that the checkpoint names.</summary>
    /// <exception cref="IOException">The disk cannot be read or written.</exception>
    public void Run(ulong tail, ulong incarnation)
    {
        using var reader = new JournalReader(ring);
        Walk(reader, tail, tail + (ulong)ring.Capacity, incarnation, countDamage: true);
        Finish();
    }

    /// <summary>Replays all that the ring still holds: the newest tail is not known. Entries that were synced long ago are written again, which changes nothing.</summary>
    /// <exception cref="IOException">The disk cannot be read or written.</exception>
    public void RunAll()
    {
        using var reader = new JournalReader(ring);
        ulong? oldest = JournalSurvey.OldestGroup(ring, reader, out ulong end);
        Head = JournalReader.RoundUp(Math.Max(end, ring.FirstLsn));
        if (oldest is { } from)
        {
            Walk(reader, from, from + (ulong)ring.Capacity, ulong.MaxValue, countDamage: false);
            Head = Math.Max(Head, JournalReader.RoundUp(end));
        }

        Finish();
    }

    private void Walk(JournalReader reader, ulong at, ulong end, ulong mostIncarnation, bool countDamage)
    {
        ulong incarnation = 0;
        while (at < end)
        {
            if (reader.TryReadNext(ref at, incarnation, mostIncarnation, out JournalEntry entry, out ReadOnlySpan<byte> bytes))
            {
                incarnation = entry.Incarnation;
                Entries++;
                Apply(entry, bytes.Slice(JournalEntry.HeadSize, entry.DataLength));
                at += (ulong)entry.Length;
            }
            else if (reader.TryFindBehind(at, end, incarnation, mostIncarnation, out ulong next))
            {
                DamagedBytes += countDamage ? (long)(next - at) : 0;
                at = next;
            }
            else
            {
                break;
            }
        }

        HighestIncarnation = incarnation;
        Head = JournalReader.RoundUp(at);
        if (countDamage)
        {
            ClearRest(at);
        }
    }

    // What a torn group left behind its last good entry would look like damage once the next group stands behind it. Nobody had an acknowledgement for
    // anything in this block then: where a whole group ends, its block is zeros already.
    private void ClearRest(ulong at)
    {
        ulong start = at & ~(ulong)(JournalRing.Block - 1);
        using var block = new AlignedBuffer(JournalRing.Block);
        ring.Read(block.Span, start);
        Span<byte> rest = block.Span[(int)(at - start)..];
        if (at != start && rest.ContainsAnyExcept((byte)0))
        {
            rest.Clear();
            ring.Write(block.Span, start);
        }
    }

    // What was read may have been in the disk's own cache only: after this sync it is durable, and so are the ends that it proves.
    private void Finish()
    {
        ring.Sync();
        foreach (ReplayTopic topic in _topics.Values)
        {
            NameCreated(topic);
            topic.RecordEnd(store);
        }
    }

    // A deleted segment must not come back: what a crash leaves of it would lack what only its deleted file had.
    private void NameCreated(ReplayTopic topic)
    {
        HashSet<ReplayedFile> deleted = [.. topic.FindDeleted(files)];
        foreach (long baseOffset in topic.Created)
        {
            ReplayedFile file = topic.Files[baseOffset];
            if (deleted.Contains(file))
            {
                Written.RemoveAll(w => w.File == file);
                file.File.Dispose();
                files.Unlink(file.File.Path);
            }
            else
            {
                files.Rename(file.File.Path, Path.Combine(topic.Path, SegmentNames.Of(baseOffset)));
            }
        }
    }

    private void Apply(in JournalEntry entry, ReadOnlySpan<byte> data)
    {
        ReplayTopic topic = TopicOf(entry.TopicId);
        if (!topic.Exists)
        {
            return;
        }

        if (topic.Files.TryGetValue(entry.SegmentBase, out ReplayedFile? file) || TryOpen(topic, entry, out file))
        {
            if (ReplayTarget.Accepts(file.File, entry, data))
            {
                file.File.Write(data, entry.Position);
            }

            topic.Saw(entry);
            file.EndOffset = Math.Max(file.EndOffset, entry.EndOffset);
        }
    }

    // False: the entry has no target any more, or its target is lost.
    private bool TryOpen(ReplayTopic topic, in JournalEntry entry, out ReplayedFile file)
    {
        file = null!;
        string path = Path.Combine(topic.Path, SegmentNames.Of(entry.SegmentBase));
        WalFile opened;
        if (files.FileExists(path))
        {
            opened = files.Open(path);
            if (topic.IsPoisoned)
            {
                opened.DropCache(); // After a failed write or sync the cache may show what the disk does not have.
            }
        }
        else if (entry.Position != 0)
        {
            // Below the log start it was deleted.
            if (entry.EndOffset > topic.LogStart)
            {
                MissingTargets++;
                topic.Saw(entry); // So that the loss is found, and reported, when the log is opened.
            }

            return false;
        }
        else
        {
            // Also when it was deleted: whether it was shows when all of its entries are known. Until then it has no segment's name.
            string temporary = Path.Combine(topic.Path, SegmentNames.Prepared(entry.SegmentBase));
            files.Unlink(temporary);
            topic.Created.Add(entry.SegmentBase);
            opened = files.CreateAllocated(temporary, Math.Max(ReplayTarget.LeastFileBytes, entry.DataLength + ProtocolLimits.HeaderSize));
        }

        file = new ReplayedFile(files, entry.TopicId, opened);
        topic.Files.Add(entry.SegmentBase, file);
        Written.Add((file, entry.Lsn));
        return true;
    }

    private ReplayTopic TopicOf(ulong topicId)
    {
        if (!_topics.TryGetValue(topicId, out ReplayTopic? topic))
        {
            string path = Path.Combine(topicsPath, topicId.ToString(CultureInfo.InvariantCulture));
            _topics[topicId] = topic = new ReplayTopic(topicId, path, files.DirectoryExists(path), store);
        }

        return topic;
    }
}
