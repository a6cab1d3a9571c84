namespace Danube.Fast.Wal.Tests;

/// <summary>
/// The commit journal cut at every byte and with every bit of several entries flipped, after a kill (the files have everything) and after a power cut
/// (acknowledged frames are in the journal only): what the entries that are still whole bring is there, and where a later group proves that a
/// damaged one was acknowledged, that is told.
/// </summary>
public sealed class JournalDamageTests
{
    private const int Capacity = 512 * 1024;
    private static readonly string Path = $"{SteppedDirectory.Root}/{JournalOpening.FileName}";

    [Theory]
    [InlineData(StopKind.Recorded)]
    [InlineData(StopKind.PowerCut)]
    public void A_damaged_journal_costs_what_was_in_the_damaged_entries_only(StopKind stop)
    {
        DamageWorld world = DamageWorld.Build(stop, seed: 3, journalBytes: Capacity);
        List<WrittenEntry> entries = WrittenEntry.Of(world.Image);
        Assert.True(entries.Count > 20, $"{entries.Count} entries.");
        var cuts = new DamageCounts($"journal cut, stop {stop}");
        var flips = new DamageCounts($"journal bits flipped, stop {stop}");
        int[] places = [.. entries.Select(e => e.Place(Capacity)).Order()];
        bool IsUsed(int place) => place < JournalRing.Block || entries.Any(e => place >= e.Place(Capacity) && place <= e.Place(Capacity) + e.Entry.Length);
        foreach (int cut in Sample.Of(JournalRing.Block + Capacity + 1, 60, [0, JournalRing.Block, JournalRing.Block + Capacity, .. places], IsUsed))
        {
            Try(world, entries, cuts, $"cut at {cut}", file => file.CutTo(cut));
            Try(world, entries, cuts, $"zeros from {cut}", file => file.Damage(bytes => bytes.AsSpan(Math.Min(cut, bytes.Length)).Clear()));
        }

        foreach ((int from, int to) in Ranges(entries))
        {
            foreach (int bit in Sample.Of((to - from) * 8, 60, [0, (to - from) * 8]))
            {
                int at = (from * 8) + bit;
                Try(world, entries, flips, $"bit {at} flipped", file => file.Damage(bytes => bytes[at / 8] ^= (byte)(1 << (at % 8))));
            }
        }

        Assert.True(stop != StopKind.PowerCut || (cuts.Prefix > 0 && flips.Damaged > 0));
        cuts.Report();
        flips.Report();
    }

    // The head of the file, and small entries from the first to the last.
    private static IEnumerable<(int From, int To)> Ranges(List<WrittenEntry> entries)
    {
        yield return (0, 64);
        yield return (JournalRing.Block - 8, JournalRing.Block);
        WrittenEntry[] small = [.. entries.Where(e => e.Bytes.Length < 900 && e.Place(Capacity) + e.Bytes.Length < JournalRing.Block + Capacity)];
        int[] chosen = [0, small.Length / 4, small.Length / 2, small.Length - 2, small.Length - 1];
        foreach (WrittenEntry entry in chosen.Select(i => small[i]))
        {
            yield return (entry.Place(Capacity), entry.Place(Capacity) + entry.Bytes.Length);
        }
    }

    private static void Try(DamageWorld world, List<WrittenEntry> entries, DamageCounts counts, string name, Action<SimulatedFile> damage)
    {
        SimulatedFileSystem image = world.Image.CopyAsSynced();
        SimulatedFile file = image.FileAt(Path);
        damage(file);
        List<WrittenEntry> left = Replayed(entries, e => file.Length >= JournalRing.Block && e.IsIn(file, Capacity), out bool isProven);
        bool isCut = file.Length < JournalRing.Block + Capacity;
        ExpectedLog[] expected = [.. world.Written.Select(w => world.WhatIsLeft(w, left))];
        var check = new DamageCheck(world, counts);
        Case.Named(name, () => check.Run(image, expected, opened =>
        {
            if (isProven || isCut)
            {
                Assert.Contains(opened.Events, e => e.Kind == WalEventKind.JournalDamaged);
            }
        }));
    }

    // A bad entry ends the journal, unless a group behind it is there: that was written after everything in front of it had been synced.
    private static List<WrittenEntry> Replayed(List<WrittenEntry> entries, Func<WrittenEntry, bool> isWhole, out bool isProven)
    {
        var left = new List<WrittenEntry>();
        isProven = false;
        for (int i = 0; i < entries.Count; i++)
        {
            if (isWhole(entries[i]))
            {
                left.Add(entries[i]);
            }
            else if (entries.Skip(i + 1).Any(e => e.Entry.Lsn == e.Entry.GroupLsn && isWhole(e)))
            {
                isProven = true;
            }
            else
            {
                break;
            }
        }

        return left;
    }
}
