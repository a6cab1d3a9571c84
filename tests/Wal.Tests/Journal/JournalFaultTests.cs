using Danube.Fast.Core;

namespace Danube.Fast.Wal.Tests;

/// <summary>Errors of the journal itself and of the files that it describes.</summary>
public sealed class JournalFaultTests
{
    [Fact]
    public void A_failed_sync_of_the_journal_stops_every_log_until_the_next_start()
    {
        var world = new JournalWorld();
        DurableLog one = world.Stepped.Create(1);
        DurableLog two = world.Stepped.Create(2);
        world.Append(one, 1);
        world.Append(two, 1);
        world.Stepped.RunCommits();
        world.Append(one, 2);
        world.Files.Before = (call, path) =>
        {
            if (call == FileCall.Sync && path.Contains("journal", StringComparison.Ordinal))
            {
                throw new IOException("injected");
            }
        };
        world.Stepped.RunCommits();
        world.Files.Before = null;
        Assert.Equal((1, 1), (one.Durable, two.Durable));
        Assert.Equal(AppendStatus.Failed, world.Stepped.Append(two, TestFrames.Build(12, 2, 1, 50)));
        Assert.NotNull(world.Stepped.Directory.Health.JournalFailure);
        Assert.False(world.Stepped.Directory.Health.IsHealthy);
        Assert.Contains(world.Stepped.Events, e => e.Kind == WalEventKind.JournalFailed);
        Assert.Single(LogDriver.ReadAll(two, 0));

        JournalWorld next = world.PowerCut();
        DurableLog again = next.Stepped.Open(2);
        Assert.Equal(1, again.Committed);
        next.Append(again, 2);
        next.Stepped.RunCommits();
        Assert.Equal(2, again.Durable);
    }

    [Fact]
    public void A_failed_journal_costs_one_sync_for_the_markers_of_all_logs()
    {
        const int Logs = 20;
        var world = new JournalWorld();
        for (int i = 1; i <= Logs; i++)
        {
            world.Append(world.Stepped.Create((ulong)i), 1);
        }

        int markerSyncs = 0;
        world.Files.Before = (call, path) =>
        {
            markerSyncs += call == FileCall.Sync && path.Contains(DataDirectory.CursorLogName, StringComparison.Ordinal) ? 1 : 0;
            if (call == FileCall.Sync && path.Contains("/journal", StringComparison.Ordinal))
            {
                throw new IOException("injected");
            }
        };
        world.Stepped.RunCommits();
        world.Files.Before = null;
        Assert.Equal(1, markerSyncs);
        Assert.Equal(Logs, world.Stepped.Events.Count(e => e.Kind == WalEventKind.Poisoned));
        JournalWorld next = world.PowerCut();
        Assert.All(Enumerable.Range(1, Logs), i => Assert.NotNull(next.Stepped.Directory.Store.GetPoison((ulong)i)));
    }

    [Fact]
    public void A_failed_journal_does_not_lower_the_marker_of_a_log_that_was_not_opened_yet()
    {
        var world = new JournalWorld();
        DurableLog bad = world.Stepped.Create(1);
        world.Stepped.Create(2);
        world.Append(bad, 1);
        world.Stepped.RunCommits();
        world.Stepped.Directory.MarkPoisoned(1, 1);
        JournalWorld next = world.PowerCut();
        DurableLog again = next.Stepped.Open(2);
        next.Append(again, 1);
        next.Stepped.RunCommits();
        next.Append(again, 2);
        Assert.False(next.Stepped.Open(1).IsReady);
        next.Files.Before = (call, path) =>
        {
            if (call == FileCall.Sync && path.Contains("/journal", StringComparison.Ordinal))
            {
                throw new IOException("injected");
            }
        };
        next.Stepped.RunCommits();
        next.Files.Before = null;
        Assert.NotNull(next.Stepped.Directory.JournalFailure);
        Assert.Equal(1, next.Stepped.Directory.Store.GetPoison(1));
    }

    [Fact]
    public void No_space_for_a_group_falls_back_to_syncs_of_the_files()
    {
        var world = new JournalWorld();
        DurableLog log = world.Stepped.Create(1);
        world.Append(log, 1);
        int failures = 0;
        world.Files.Before = (call, path) =>
        {
            if (call == FileCall.Write && path.Contains("journal", StringComparison.Ordinal) && failures++ == 0)
            {
                throw new DiskFullException("injected");
            }
        };
        world.Stepped.RunCommits();
        Assert.Equal(1, log.Durable);
        world.Append(log, 2);
        world.Stepped.RunCommits();
        Assert.Equal(2, log.Durable);
        Assert.Equal(1, world.Counters.JournalEntries); // The first was not written.
        Assert.Equal(2, world.PowerCut().Stepped.Open(1).Committed);
    }

    [Fact]
    public void The_journal_keeps_what_a_failed_file_lacks_through_laps_of_the_ring()
    {
        var world = new JournalWorld();
        DurableLog bad = world.Stepped.Create(1);
        DurableLog good = world.Stepped.Create(2);
        world.Append(bad, 1);
        world.Stepped.RunCommits();
        Assert.Equal(1, bad.Durable);
        world.Files.Before = (call, path) =>
        {
            if (call == FileCall.Sync && bad.SegmentsForTest.Any(s => s.File?.Path == path))
            {
                throw new IOException("injected");
            }
        };
        world.Checkpoint();
        Assert.Equal([1UL], world.Stepped.Directory.Health.PoisonedTopics);
        for (ulong i = 1; i <= 200; i++)
        {
            world.Append(good, i, 1000);
            world.Stepped.RunCommits();
        }

        Assert.True(world.Counters.JournalBytes > 5 * JournalWorld.Bytes);
        Assert.Equal(200, good.Durable);
        world.Files.Before = null;
        JournalWorld next = world.PowerCut();
        DurableLog again = next.Stepped.Open(1);
        Assert.Equal(1, again.Committed);
        Assert.Empty(again.Damages);
        next.Append(again, 2);
        next.Stepped.RunCommits();
        Assert.Equal(2, again.Durable);
        Assert.Contains(next.Stepped.Events, e => e.Kind == WalEventKind.Unpoisoned);
        Assert.Equal(200, next.Stepped.Open(2).Committed);
    }

    [Fact]
    public void A_directory_closed_with_a_failed_log_keeps_its_journal()
    {
        var world = new JournalWorld();
        DurableLog bad = world.Stepped.Create(1);
        world.Append(bad, 1);
        world.Stepped.RunCommits();
        world.Files.Before = (call, path) =>
        {
            if (call == FileCall.Sync && bad.SegmentsForTest.Any(s => s.File?.Path == path))
            {
                throw new IOException("injected");
            }
        };
        world.Checkpoint();
        world.Stepped.Directory.Dispose();
        world.Files.Before = null;
        JournalWorld next = world.PowerCut();
        Assert.False(next.Stepped.Directory.WasClosedCleanly);
        Assert.Equal(1, next.Stepped.Open(1).Committed);
    }

    [Fact]
    public void A_damaged_entry_in_front_of_acknowledged_ones_is_reported_and_the_others_are_replayed()
    {
        var world = new JournalWorld();
        DurableLog[] logs = [world.Stepped.Create(1), world.Stepped.Create(2), world.Stepped.Create(3)];
        foreach (DurableLog log in logs)
        {
            world.Append(log, 1);
            world.Stepped.RunCommits(); // A group each.
        }

        SimulatedFileSystem image = world.Files.Crash(new Random(1), 0);
        image.FileAt("/data/journal").FlipBit((JournalRing.Block + JournalRing.Block + 200) * 8); // In the second group.
        var next = new JournalWorld(image, world.Clock);
        Assert.True(next.Counters.JournalDamage > 0);
        WalEvent named = Assert.Single(next.Stepped.Events, e => e.Kind == WalEventKind.JournalDamaged && e.TopicId != 0);
        Assert.Equal(2UL, named.TopicId);
        Assert.Contains("offsets 0 to 0", named.Message, StringComparison.Ordinal);
        Assert.Contains(next.Stepped.Events, e => e.Kind == WalEventKind.JournalDamaged && e.TopicId == 0);
        Assert.Equal((1, 0, 1), (next.Stepped.Open(1).Committed, next.Stepped.Open(2).Committed, next.Stepped.Open(3).Committed));
    }

    [Fact]
    public void A_torn_last_group_is_no_damage()
    {
        var world = new JournalWorld();
        DurableLog log = world.Stepped.Create(1);
        world.Append(log, 1);
        world.Stepped.RunCommits();
        SimulatedFileSystem image = world.Files.Crash(new Random(1), 0);
        image.FileAt("/data/journal").FlipBit((JournalRing.Block + 200) * 8);
        var next = new JournalWorld(image, world.Clock);
        Assert.Equal(0, next.Counters.JournalDamage);
        Assert.Equal(0, next.Counters.ReplayedEntries);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_a_torn_group_left_behind_is_no_damage_later(bool loseSlot)
    {
        var world = new JournalWorld();
        DurableLog[] logs = [world.Stepped.Create(1), world.Stepped.Create(2)];
        foreach (DurableLog log in logs)
        {
            world.Append(log, 1);
        }

        world.Stepped.RunCommits(); // One group of two entries, of which the second is torn here.
        SimulatedFileSystem image = world.Files.Crash(new Random(1), 0);
        image.FileAt("/data/journal").FlipBit((JournalRing.Block + 600) * 8);
        if (loseSlot)
        {
            image.FileAt("/data/checkpoint").FlipBit(26 * 8); // The older one: all of the ring is replayed.
        }

        var next = new JournalWorld(image, world.Clock);
        Assert.Equal(1, next.Counters.ReplayedEntries);
        DurableLog again = next.Stepped.Open(1);
        next.Append(again, 2);
        next.Stepped.RunCommits(); // By itself, with the recovered bytes; the next one goes into the journal.
        next.Append(again, 3);
        next.Stepped.RunCommits();
        Assert.Equal(1, next.Counters.JournalGroups);
        JournalWorld third = next.Kill();
        Assert.Equal(0, third.Counters.JournalDamage);
        Assert.DoesNotContain(third.Stepped.Events, e => e.Kind == WalEventKind.JournalDamaged);
        Assert.Equal(3, third.Stepped.Open(1).Committed);
    }

    [Fact]
    public void A_missing_journal_is_reported()
    {
        var world = new JournalWorld();
        world.Append(world.Stepped.Create(1), 1);
        world.Stepped.RunCommits();
        SimulatedFileSystem image = world.Files.Crash(new Random(1), 1);
        image.Unlink("/data/journal");
        var next = new JournalWorld(image, world.Clock);
        Assert.Contains(next.Stepped.Events, e => e.Kind == WalEventKind.JournalDamaged);
        Assert.Equal(1, next.Stepped.Open(1).Committed); // The file had survived.
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_lost_slot_of_the_checkpoint_replays_all_of_the_ring(int slot)
    {
        var world = new JournalWorld();
        DurableLog log = world.Stepped.Create(1);
        for (ulong i = 1; i <= 100; i++)
        {
            world.Append(log, i, 1000);
            world.Stepped.RunCommits();
        }

        SimulatedFileSystem image = world.Files.Crash(new Random(1), 0);
        image.FileAt("/data/checkpoint").FlipBit(((slot * CheckpointSlot.Size) + 26) * 8);
        var next = new JournalWorld(image, world.Clock);
        DurableLog again = next.Stepped.Open(1);
        Assert.Equal(100, again.Committed);
        Assert.Empty(again.Damages);
    }
}
