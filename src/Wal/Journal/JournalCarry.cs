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

    /// <summary>Writes what is kept between two LSNs again, in as few groups as it takes.</summary>
    /// <exception cref="DiskFullException">There is no room for it: nothing was written, and the tail must stay.</exception>
    /// <exception cref="IOException">It could not be written: the tail must stay.</exception>
    public void CarryOver(ulong from, ulong to)
    {
        if (_topics.IsEmpty)
        {
            return;
        }

        using JournalReader reader = journal.OpenReader();
        long needed = 0;
        Walk(reader, from, to, (in JournalEntry entry, ReadOnlySpan<byte> _) => needed += entry.Length);
        if (needed > 0 && needed + JournalRing.Block > journal.Capacity - journal.UsedBytes)
        {
            throw new DiskFullException("The commit journal has no room to keep the entries of logs that a disk error has stopped.");
        }

        var group = new CarryGroup(journal);
        Walk(reader, from, to, group.Add);
        group.Write();
    }

    private delegate void EntryVisitor(in JournalEntry entry, ReadOnlySpan<byte> bytes);

    // A place that cannot be read was reported by the replay that jumped over it; what is behind it still counts.
    private void Walk(JournalReader reader, ulong at, ulong to, EntryVisitor visit)
    {
        while (at < to)
        {
            if (reader.TryReadNext(ref at, 0, ulong.MaxValue, out JournalEntry entry, out ReadOnlySpan<byte> bytes))
            {
                if (at < to && _topics.ContainsKey(entry.TopicId))
                {
                    visit(entry, bytes);
                }

                at += (ulong)entry.Length;
            }
            else if (!reader.TryFindBehind(at, to, 0, ulong.MaxValue, out at))
            {
                return;
            }
        }
    }

    // Entries are gathered until a group is full.
    private sealed class CarryGroup(Journal journal)
    {
        private bool _isOpen;

        public void Add(in JournalEntry entry, ReadOnlySpan<byte> bytes)
        {
            if (_isOpen && !journal.HasRoom(entry.DataLength, 1))
            {
                Write();
            }

            if (!_isOpen)
            {
                journal.BeginGroup();
                _isOpen = true;
            }

            if (!journal.HasRoom(entry.DataLength, 1))
            {
                End(written: false);
                throw new DiskFullException("The commit journal has no room to keep the entries of logs that a disk error has stopped.");
            }

            bytes.Slice(JournalEntry.HeadSize, entry.DataLength).CopyTo(journal.DataRoom(entry.DataLength));
            journal.Add(entry);
        }

        public void Write()
        {
            if (!_isOpen)
            {
                return;
            }

            bool written = false;
            try
            {
                journal.WriteGroup();
                written = true;
            }
            finally
            {
                End(written);
            }
        }

        private void End(bool written)
        {
            _isOpen = false;
            journal.EndGroup(written, NoParts);
        }
    }
}
