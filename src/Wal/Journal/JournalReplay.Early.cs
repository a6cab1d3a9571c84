namespace Danube.Fast.Wal;

// Entries whose file was missing when they were read. Of a log that is kept the entry that makes the file may stand behind them: it was written again at the head when the
// tail passed it, and they were appended to the journal while the sync of the file was about to fail.
internal sealed partial class JournalReplay
{
    private readonly List<ulong> _early = [];

    private void ApplyEarly(JournalReader reader)
    {
        Dictionary<ReplayedFile, ulong> firsts = [];
        foreach (ulong lsn in _early)
        {
            if (!reader.TryRead(lsn, 0, ulong.MaxValue, out JournalEntry entry, out ReadOnlySpan<byte> bytes))
            {
                throw new IOException($"An entry of the commit journal that was read a moment ago cannot be read again (LSN {lsn}).");
            }

            ReplayTopic topic = TopicOf(entry.TopicId);
            if (topic.Files.TryGetValue(entry.SegmentBase, out ReplayedFile? file))
            {
                Write(topic, file, entry, bytes.Slice(JournalEntry.HeadSize, entry.DataLength));
                firsts.TryAdd(file, lsn);
            }
            else
            {
                NoteMissing(topic, entry);
            }
        }

        if (firsts.Count > 0)
        {
            KeepFrom(firsts);
        }
    }

    // The tail stays in front of them until their files are synced.
    private void KeepFrom(Dictionary<ReplayedFile, ulong> firsts)
    {
        for (int i = 0; i < Written.Count; i++)
        {
            (ReplayedFile file, ulong lsn) = Written[i];
            Written[i] = (file, firsts.TryGetValue(file, out ulong first) ? Math.Min(first, lsn) : lsn);
        }

        Written.Sort((a, b) => a.Lsn.CompareTo(b.Lsn));
    }
}
