using System.Collections.Concurrent;

namespace Danube.Fast.Wal;

/// <summary>
/// Entries of logs whose files can no longer be trusted: the journal is their only good copy until the next start, so they are written again at the head when the
/// tail reaches them. Runs under: the checkpoint's lock.
/// </summary>
internal sealed class JournalCarry(Journal journal)
{
    private static readonly List<GroupPart> NoParts = [];
    private readonly ConcurrentDictionary<ulong, bool> _topics = new();

    public bool IsKeeping => !_topics.IsEmpty;

    /// <summary>Keeps the entries of a log from now on.</summary>
    public void Keep(ulong topicId) => _topics[topicId] = true;

    /// <summary>Keeps them no longer. Runs on: any thread.</summary>
    public void Forget(ulong topicId) => _topics.TryRemove(topicId, out _);

    /// <summary>Writes what is kept between two LSNs again.</summary>
    /// <exception cref="IOException">It could not be written, or there is no room: the tail must stay.</exception>
    public void CarryOver(ulong from, ulong to)
    {
        if (_topics.IsEmpty)
        {
            return;
        }

        using JournalReader reader = journal.OpenReader();
        ulong at = from;
        while (at < to && reader.TryReadNext(ref at, 0, ulong.MaxValue, out JournalEntry entry, out ReadOnlySpan<byte> bytes) && at < to)
        {
            if (_topics.ContainsKey(entry.TopicId))
            {
                WriteAgain(entry, bytes);
            }

            at += (ulong)entry.Length;
        }
    }

    private void WriteAgain(in JournalEntry entry, ReadOnlySpan<byte> bytes)
    {
        journal.BeginGroup();
        bool written = false;
        try
        {
            if (!journal.HasRoom(entry.DataLength, 1))
            {
                throw new DiskFullException("The journal has no room for the entries of failed logs.");
            }

            bytes.Slice(JournalEntry.HeadSize, entry.DataLength).CopyTo(journal.DataRoom(entry.DataLength));
            journal.Add(entry);
            journal.WriteGroup();
            written = true;
        }
        finally
        {
            journal.EndGroup(written, NoParts);
        }
    }
}
