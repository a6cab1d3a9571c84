namespace Danube.Fast.Wal;

/// <summary>Finds what a ring holds without knowing where it begins: for a start whose checkpoint slot is lost. Runs on: one thread.</summary>
internal static class JournalSurvey
{
    /// <summary>LSN of the oldest group that the newest one has not outrun; null for an empty ring. <paramref name="end"/>: behind the newest entry.</summary>
    public static ulong? OldestGroup(JournalRing ring, JournalReader reader, out ulong end)
    {
        var groups = new List<ulong>();
        end = 0;
        for (long place = 0; place < ring.Capacity; place += JournalRing.Block)
        {
            if (reader.TryReadAtPlace((ulong)place, out JournalEntry entry) && entry.GroupLsn == entry.Lsn)
            {
                groups.Add(entry.Lsn);
                end = Math.Max(end, entry.Lsn + (ulong)entry.Length);
            }
        }

        ulong newest = end;
        ulong capacity = (ulong)ring.Capacity;
        return groups.Count == 0 ? null : groups.Where(g => g + capacity >= newest).Min();
    }
}
