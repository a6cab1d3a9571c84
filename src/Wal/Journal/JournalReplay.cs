using System.Globalization;
using Danube.Fast.Protocol;

namespace Danube.Fast.Wal;

/// <summary>
/// Writes the journal's entries into the segments that they belong to, before the directory is used: what they hold may be nowhere else. Entries of topics that are gone,
/// of a log that had the topic's id before, and of deleted offsets are skipped; another missing file is damage. Writing an entry twice changes nothing, so a crash at any step repeats it.
/// Runs on: the thread that opens the directory.
/// </summary>
/// <param name="files">The seam.</param>
/// <param name="topicsPath">Directory of the topics.</param>
/// <param name="store">Takes the durable ends that the entries prove.</param>
/// <param name="ring">The journal's file.</param>
/// <param name="mayClose">Files may be closed early: the file system was opened before and can be synced as a whole, or nothing has to be durable.</param>
internal sealed partial class JournalReplay(WalFileSystem files, string topicsPath, StateStore store, JournalRing ring, bool mayClose)
{
    private const int MaxDamagedEntries = 64;

    private readonly Dictionary<ulong, ReplayTopic> _topics = [];
    private readonly ReplayHandles _handles = new(mayClose);

    /// <summary>Files that were written, each with the LSN of its first entry, oldest first.</summary>
    public List<(ReplayedFile File, ulong Lsn)> Written { get; } = [];

    /// <summary>LSN behind the last good entry, at a block.</summary>
    public ulong Head { get; private set; }

    /// <summary>Highest incarnation of an entry.</summary>
    public ulong HighestIncarnation { get; private set; }

    public long Entries { get; private set; }

    /// <summary>Entries whose segment is missing although nothing says that it was deleted.</summary>
    public long MissingTargets { get; private set; }

    /// <summary>What the heads of damaged entries say, the first ones: nothing vouches for it, but it shows people where to look.</summary>
    public List<JournalEntry> DamagedEntries { get; } = [];

    /// <summary>Bytes of the journal that had been on the disk and cannot be read any more.</summary>
    public long DamagedBytes { get; private set; }

    /// <summary>Replays from the tail that the checkpoint names.</summary>
    /// <exception cref="IOException">The disk cannot be read or written.</exception>
    public void Run(ulong tail, ulong incarnation)
    {
        using var reader = new JournalReader(ring);
        Walk(reader, tail, tail + (ulong)ring.Capacity, incarnation, countDamage: true);
        ApplyEarly(reader);
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
            ApplyEarly(reader);
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
                if (countDamage)
                {
                    DamagedBytes += (long)(next - at);
                    NoteDamaged(reader, at, next, incarnation, mostIncarnation);
                }

                at = next;
            }
            else
            {
                break;
            }
        }

        HighestIncarnation = incarnation;
        Head = JournalReader.RoundUp(at);
        if (!ring.IsDamaged)
        {
            ClearRest(at); // A damaged ring is replaced; until then it stays as it is.
        }
    }

    // An entry whose length leads to the good one behind it, or into the zeros in front of that, has most likely lost its data only.
    private void NoteDamaged(JournalReader reader, ulong bad, ulong next, ulong leastIncarnation, ulong mostIncarnation)
    {
        bool isHead = reader.TryReadHead(bad, leastIncarnation, mostIncarnation, out JournalEntry entry)
            || reader.TryReadHead(JournalReader.RoundUp(bad), leastIncarnation, mostIncarnation, out entry);
        ulong end = entry.Lsn + (ulong)entry.Length;
        if (isHead && DamagedEntries.Count < MaxDamagedEntries && (end == next || JournalReader.RoundUp(end) == next) && TopicOf(entry.TopicId).Owns(entry))
        {
            DamagedEntries.Add(entry);
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

    /// <summary>Leaves so many files open at the most.</summary>
    public void CloseMost(int most) => _handles.Trim(most);

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
                _handles.Drop(file);
                files.Unlink(file.Path);
            }
            else
            {
                file.Rename(Path.Combine(topic.Path, SegmentNames.Of(baseOffset)));
            }
        }
    }

    private void Apply(in JournalEntry entry, ReadOnlySpan<byte> data)
    {
        ReplayTopic topic = TopicOf(entry.TopicId);
        if (!topic.Exists || !topic.Owns(entry))
        {
            return;
        }

        if (topic.Files.TryGetValue(entry.SegmentBase, out ReplayedFile? file) || TryFind(topic, entry, out file))
        {
            Write(topic, file, entry, data);
        }
    }

    private void Write(ReplayTopic topic, ReplayedFile file, in JournalEntry entry, ReadOnlySpan<byte> data)
    {
        WalFile target = _handles.Use(file);
        if (ReplayTarget.Accepts(target, entry, data))
        {
            target.Write(data, entry.Position);
        }

        topic.Saw(entry);
        file.EndOffset = Math.Max(file.EndOffset, entry.EndOffset);
    }

    // False: the entry has no target any more, or its target is lost.
    private bool TryFind(ReplayTopic topic, in JournalEntry entry, out ReplayedFile file)
    {
        file = null!;
        string path = Path.Combine(topic.Path, SegmentNames.Of(entry.SegmentBase));
        long createBytes = 0;
        if (!files.FileExists(path))
        {
            if (entry.Position != 0)
            {
                _early.Add(entry.Lsn);
                return false;
            }

            // Also when it was deleted: whether it was shows when all of its entries are known. Until then it has no segment's name.
            path = Path.Combine(topic.Path, SegmentNames.Prepared(entry.SegmentBase));
            topic.Created.Add(entry.SegmentBase);
            createBytes = Math.Max(ReplayTarget.LeastFileBytes, entry.DataLength + ProtocolLimits.HeaderSize);
        }

        file = new ReplayedFile(files, entry.TopicId, entry.SegmentGeneration, path, createBytes, topic.IsPoisoned);
        topic.Files.Add(entry.SegmentBase, file);
        Written.Add((file, entry.Lsn));
        return true;
    }

    // Below the log start it was deleted.
    private void NoteMissing(ReplayTopic topic, in JournalEntry entry)
    {
        if (entry.EndOffset > topic.LogStart)
        {
            MissingTargets++;
            topic.Saw(entry); // So that the loss is found, and reported, when the log is opened.
        }
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
