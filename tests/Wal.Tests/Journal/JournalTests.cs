namespace Danube.Fast.Wal.Tests;

/// <summary>Commits through the journal: what they cost, what they promise, when their space is free again.</summary>
public sealed class JournalTests
{
    [Fact]
    public void Many_small_commits_cost_one_sync()
    {
        var world = new JournalWorld();
        DurableLog[] logs = [.. Enumerable.Range(1, 20).Select(i => world.Stepped.Create((ulong)i))];
        foreach (DurableLog log in logs)
        {
            world.Append(log, 1);
        }

        int before = world.Files.Calls[(int)FileCall.Sync];
        Assert.True(world.Stepped.Directory.Committer.RunOne());
        Assert.Equal(before + 1, world.Files.Calls[(int)FileCall.Sync]);
        Assert.All(logs, log => Assert.Equal(1, log.Durable));
        Assert.Equal((1, 20), (world.Counters.JournalGroups, world.Counters.JournalEntries));
    }

    [Fact]
    public void What_only_the_journal_holds_survives_a_power_cut_also_the_file_and_its_name()
    {
        var world = new JournalWorld();
        DurableLog log = world.Stepped.Create(1);
        world.CountTopicSyncs();
        for (ulong i = 1; i <= 3; i++)
        {
            world.Append(log, i);
            world.Stepped.RunCommits();
        }

        Assert.Equal(3, log.Durable);
        Assert.Equal(0, world.TopicSyncs);
        JournalWorld next = world.PowerCut();
        DurableLog again = next.Stepped.Open(1);
        Assert.Equal((3, 3), (again.Committed, again.Durable));
        Assert.Equal(3, LogDriver.ReadAll(again, 0, cold: true).Count);
        Assert.Empty(again.Damages);

        // A second cut before anything of it was synced repeats the replay.
        JournalWorld third = next.PowerCut();
        Assert.Equal(3, third.Stepped.Open(1).Committed);
    }

    [Fact]
    public void A_checkpoint_syncs_the_files_and_frees_the_ring()
    {
        var world = new JournalWorld();
        DurableLog log = world.Stepped.Create(1);
        world.Append(log, 1);
        world.Stepped.RunCommits();
        Assert.True(world.Stepped.Directory.JournalUsedBytes > 0);
        world.CountTopicSyncs();
        world.Checkpoint();
        Assert.Equal(0, world.Stepped.Directory.JournalUsedBytes);
        Assert.Equal(1, world.TopicSyncs);
        JournalWorld next = world.PowerCut();
        Assert.Equal(0, next.Counters.ReplayedEntries);
        Assert.Equal(1, next.Stepped.Open(1).Committed);
    }

    [Fact]
    public void The_ring_goes_round_many_times_and_loses_nothing()
    {
        var world = new JournalWorld();
        DurableLog[] logs = [world.Stepped.Create(1), world.Stepped.Create(2)];
        for (ulong i = 1; i <= 300; i++)
        {
            world.Append(logs[i % 2], (i + 1) / 2, 1000);
            world.Stepped.RunCommits();
        }

        Assert.True(world.Counters.JournalBytes > 10 * JournalWorld.Bytes, $"{world.Counters.JournalBytes} bytes journaled.");
        Assert.True(world.Counters.Checkpoints > 5);
        JournalWorld next = world.PowerCut();
        Assert.Equal(150, next.Stepped.Open(1).Committed);
        Assert.Equal(150, next.Stepped.Open(2).Committed);
    }

    [Fact]
    public void A_large_commit_syncs_its_file_and_leaves_the_journal_alone()
    {
        var world = new JournalWorld();
        DurableLog log = world.Stepped.Create(1);
        for (ulong i = 1; i <= 20; i++)
        {
            world.Append(log, i, 10_000);
        }

        world.CountTopicSyncs();
        world.Stepped.RunCommits();
        Assert.Equal(20, log.Durable);
        Assert.True(world.TopicSyncs > 0);
        Assert.Equal(0, world.Counters.JournalEntries);
    }

    [Fact]
    public void Small_commits_behind_large_ones_are_replayed_behind_them()
    {
        var world = new JournalWorld();
        DurableLog log = world.Stepped.Create(1);
        world.Append(log, 1);
        world.Stepped.RunCommits();
        for (ulong i = 2; i <= 21; i++)
        {
            world.Append(log, i, 10_000);
        }

        world.Stepped.RunCommits();
        world.Append(log, 22);
        world.Stepped.RunCommits();
        Assert.Equal(2, world.Counters.JournalEntries);
        DurableLog again = world.PowerCut().Stepped.Open(1);
        Assert.Equal(22, again.Committed);
        Assert.Equal(22, LogDriver.ReadAll(again, 0, cold: true).Count);
    }

    [Fact]
    public void A_deleted_topic_and_deleted_offsets_are_skipped()
    {
        var world = new JournalWorld();
        DurableLog gone = world.Stepped.Create(1);
        DurableLog cut = world.Stepped.Create(2);
        for (ulong i = 1; i <= 5; i++)
        {
            world.Append(gone, i);
            world.Append(cut, i);
        }

        world.Stepped.RunCommits();
        cut.DeleteBelow(3);
        world.Stepped.RunBackground();
        world.Stepped.Directory.Delete(1);
        world.Stepped.RunBackground();
        JournalWorld next = world.PowerCut();
        Assert.DoesNotContain(next.Stepped.Events, e => e.Kind == WalEventKind.JournalDamaged);
        Assert.Empty(next.Files.List("/data/topics/1"));
        DurableLog again = next.Stepped.Open(2);
        Assert.Equal((3, 5), (again.LogStart, again.Committed));
    }

    [Fact]
    public void A_journal_of_another_size_or_none_keeps_what_the_old_one_held()
    {
        var world = new JournalWorld();
        DurableLog log = world.Stepped.Create(1);
        world.Append(log, 1);
        world.Stepped.RunCommits();
        var larger = new JournalWorld(world.Files.Crash(new Random(1), 0), world.Clock, 2 * JournalWorld.Bytes);
        Assert.Equal(2 * JournalWorld.Bytes, larger.Stepped.Directory.JournalCapacity);
        DurableLog second = larger.Stepped.Open(1);
        Assert.Equal(1, second.Committed);
        larger.Stepped.RunCommits();
        larger.Append(second, 2);
        larger.Stepped.RunCommits();
        var none = new JournalWorld(larger.Files.Crash(new Random(2), 0), world.Clock, 0);
        Assert.Equal(0, none.Stepped.Directory.JournalCapacity);
        Assert.False(none.Files.FileExists("/data/journal"));
        Assert.Equal(2, none.Stepped.Open(1).Committed);
    }

    [Fact]
    public void Without_room_for_the_ring_each_log_is_synced_by_itself()
    {
        var world = new JournalWorld(new SimulatedFileSystem { FreeBytes = JournalWorld.Bytes });
        Assert.Contains(world.Stepped.Events, e => e.Kind == WalEventKind.JournalUnavailable);
        world.Files.FreeBytes = long.MaxValue / 2;
        world.Stepped.Tick(TimeSpan.FromSeconds(1));
        DurableLog log = world.Stepped.Create(1);
        world.Append(log, 1);
        world.Stepped.RunCommits();
        Assert.Equal(1, log.Durable);
        Assert.Equal(1, world.PowerCut().Stepped.Open(1).Committed);
    }

    [Fact]
    public void The_longest_commit_that_may_use_the_journal_comes_back_from_it()
    {
        const int Most = WalOptions.MaxJournalThresholdBytes;
        Assert.Throws<ArgumentOutOfRangeException>(() => new WalOptions { JournalThresholdBytes = Most + 1 });
        var files = new SimulatedFileSystem();
        SteppedDirectory first = Large(files);
        DurableLog log = first.Create(1);
        Assert.Equal(Danube.Fast.Core.AppendStatus.Ok, first.Append(log, TestFrames.Build(1, 1, 1, Most - 500)));
        first.RunCommits();
        Assert.Equal(1, first.Directory.Counters.JournalEntries);
        DurableLog again = Large(files.Crash(new Random(1), 0)).Open(1);
        Assert.Equal(1, again.Committed);
        Assert.Single(LogDriver.ReadAll(again, 0, cold: true));
    }

    [Theory]
    [InlineData(8, false)]
    [InlineData(JournalCheckpoint.BulkAbove + 44, true)]
    public void A_round_begins_when_a_quarter_of_the_ring_is_used_and_with_very_many_files_when_half_of_it_is(int topics, bool isHalf)
    {
        const int Ring = 1024 * 1024;
        var world = new JournalWorld(journalBytes: Ring);
        DurableLog[] logs = [.. Enumerable.Range(1, topics).Select(i => world.Stepped.Create((ulong)i))];
        long used = 0;
        for (ulong i = 1; world.Counters.Checkpoints == 0; i++)
        {
            used = world.Stepped.Directory.JournalUsedBytes;
            Assert.True(used < Ring / 4 * 3, "No round has begun.");
            Array.ForEach(logs, log => world.Append(log, i, 20_000 / topics));
            world.Stepped.RunCommits();
        }

        // As it was in front of the group with which the round began; a group has up to 130 KB.
        long due = isHalf ? Ring / 2 : Ring / 4;
        Assert.InRange(used, due - 140_000, due);
        Assert.All(logs, log => Assert.Equal(log.Committed, log.Durable));
    }

    private static SteppedDirectory Large(SimulatedFileSystem files) =>
        new(files, new TestClock(), o => o with { JournalBytes = 16 * 1024 * 1024, JournalThresholdBytes = WalOptions.MaxJournalThresholdBytes });
}
