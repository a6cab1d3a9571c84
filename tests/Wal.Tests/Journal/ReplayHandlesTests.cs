namespace Danube.Fast.Wal.Tests;

/// <summary>A start whose journal names more files than the process may open: it needs few handles, and no error of a closed file is missed.</summary>
public sealed class ReplayHandlesTests
{
    private const int Few = 20, RingBytes = 4 * 1024 * 1024;

    [Theory]
    [InlineData(60, Few)]
    [InlineData(JournalCheckpoint.BulkAbove + 50, int.MaxValue)]
    public void A_start_needs_few_handles_and_brings_everything_back(int topics, int most)
    {
        SimulatedFileSystem image = Journaled(topics, rounds: 3);
        image.MostHandles = most;
        var world = new JournalWorld(image, null, RingBytes);
        Assert.InRange(image.Handles, 1, Math.Min(most, JournalCheckpoint.BulkAbove) + Few / 2);
        Assert.Equal(topics * 3, world.Counters.ReplayedEntries);

        // A second cut before anything was synced repeats it; after a checkpoint nothing of the journal is needed.
        var again = new JournalWorld(image.Crash(new Random(1), 0), world.Clock, RingBytes);
        Assert.Equal(topics * 3, again.Counters.ReplayedEntries);
        image.MostHandles = int.MaxValue;
        world.Checkpoint();
        Assert.Equal(0, world.Stepped.Directory.JournalUsedBytes);
        var last = new JournalWorld(image.Crash(new Random(1), 0), world.Clock, RingBytes);
        Assert.Equal(0, last.Counters.ReplayedEntries);
        for (int i = 1; i <= topics; i++)
        {
            Assert.Equal(3, last.Stepped.Open((ulong)i).Committed);
        }
    }

    [Fact]
    public void When_the_file_system_cannot_be_synced_the_files_that_were_closed_count_as_lost_and_the_journal_keeps_them()
    {
        const int Topics = 60;
        SimulatedFileSystem image = Journaled(Topics, rounds: 1);
        image.MostHandles = Few;
        var world = new JournalWorld(image, null, RingBytes);
        int open = image.Handles;
        image.MostHandles = int.MaxValue;
        image.Before = (call, _) =>
        {
            if (call == FileCall.SyncVolume)
            {
                throw new IOException("injected");
            }
        };
        world.Checkpoint();
        image.Before = null;
        ulong[] poisoned = [.. Enumerable.Range(1, Topics).Select(i => (ulong)i).Where(i => world.Stepped.Directory.Store.GetPoison(i) is not null)];
        Assert.InRange(poisoned.Length, Topics - open, Topics - 1);
        var next = new JournalWorld(image.Crash(new Random(1), 0), world.Clock, RingBytes);
        for (int i = 1; i <= Topics; i++)
        {
            Assert.Equal(1, next.Stepped.Open((ulong)i).Committed);
        }
    }

    [Fact]
    public void A_ring_of_another_size_is_made_when_all_of_them_are_on_the_disk()
    {
        const int Topics = 60;
        SimulatedFileSystem image = Journaled(Topics, rounds: 1);
        image.MostHandles = Few;
        var world = new JournalWorld(image, null, JournalWorld.Bytes);
        Assert.Equal(1, world.Counters.BulkSyncs);
        var next = new JournalWorld(image.Crash(new Random(1), 0), world.Clock);
        Assert.Equal(0, next.Counters.ReplayedEntries);
        for (int i = 1; i <= Topics; i++)
        {
            Assert.Equal(1, next.Stepped.Open((ulong)i).Committed);
        }
    }

    /// <summary>A power cut that leaves so many logs in the journal alone.</summary>
    private static SimulatedFileSystem Journaled(int topics, int rounds)
    {
        var world = new JournalWorld(journalBytes: RingBytes);
        DurableLog[] logs = [.. Enumerable.Range(1, topics).Select(i => world.Stepped.Create((ulong)i))];
        for (ulong sequence = 1; sequence <= (ulong)rounds; sequence++)
        {
            foreach (DurableLog log in logs)
            {
                world.Append(log, sequence);
            }

            world.Stepped.RunCommits();
        }

        return world.Files.Crash(new Random(1), 0);
    }
}
