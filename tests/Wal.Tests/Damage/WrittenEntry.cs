namespace Danube.Fast.Wal.Tests;

/// <summary>An entry of the journal as it was written: between the tail that the checkpoint names and the head.</summary>
/// <param name="Entry">Its head.</param>
/// <param name="Bytes">Head and data without the padding, whose content nobody looks at.</param>
internal sealed record WrittenEntry(JournalEntry Entry, byte[] Bytes)
{
    /// <summary>The entries that a start would replay.</summary>
    public static List<WrittenEntry> Of(SimulatedFileSystem files)
    {
        var written = new List<WrittenEntry>();
        Checkpoint checkpoint = Checkpoint.Open($"{SteppedDirectory.Root}/checkpoint", files, TimeProvider.System);
        using JournalRing ring = JournalRing.TryOpen($"{SteppedDirectory.Root}/{JournalOpening.FileName}", files)!;
        using var reader = new JournalReader(ring);
        ulong at = checkpoint.Tail;
        while (reader.TryReadNext(ref at, 0, checkpoint.Incarnation, out JournalEntry entry, out ReadOnlySpan<byte> bytes))
        {
            written.Add(new WrittenEntry(entry, bytes[..(JournalEntry.HeadSize + entry.DataLength)].ToArray()));
            at += (ulong)entry.Length;
        }

        return written;
    }

    /// <summary>First byte in a file whose ring has this capacity.</summary>
    public int Place(long capacity) => (int)(JournalRing.Block + (long)(Entry.Lsn % (ulong)capacity));

    /// <summary>What a cut file lacks counts as zeros.</summary>
    public bool IsIn(SimulatedFile file, long capacity)
    {
        for (int i = 0, at = Place(capacity); i < Bytes.Length; i++, at++)
        {
            at = at == JournalRing.Block + capacity ? JournalRing.Block : at; // The ring ends.
            if ((at < file.Length ? file.Cache[at] : 0) != Bytes[i])
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>True when the data covers these bytes of a segment.</summary>
    public bool Covers(ulong topicId, WrittenSegment segment, long position, int length) =>
        Entry.TopicId == topicId && Entry.SegmentBase == segment.BaseOffset && Entry.Position <= position && position + length <= Entry.Position + Entry.DataLength;
}
