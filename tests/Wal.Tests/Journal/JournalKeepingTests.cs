namespace Danube.Fast.Wal.Tests;

/// <summary>Files that a checkpoint cannot sync: of failed logs, of deleted ones, and while the system has no handles left.</summary>
public sealed class JournalKeepingTests
{
    private const int TooManyFiles = 24;

    [Fact]
    public void A_file_that_waits_for_handles_costs_the_others_of_its_round_nothing()
    {
        var world = new JournalWorld();
        DurableLog a = world.Stepped.Create(1), b = world.Stepped.Create(2);
        world.Append(a, 1);
        world.Append(b, 1);
        world.Stepped.RunCommits();
        JournalWorld next = world.PowerCut();
        Assert.Equal(1, next.Stepped.Open(1).Committed);
        next.Files.Before = (call, path) =>
        {
            if (call == FileCall.SyncDirectory && path.EndsWith("topics/2", StringComparison.Ordinal))
            {
                throw new IOException("injected", TooManyFiles);
            }
        };
        next.Checkpoint();
        next.Files.Before = null;
        next.Checkpoint();
        Assert.Empty(next.Stepped.Directory.Health.PoisonedTopics);
        Assert.DoesNotContain(next.Stepped.Events, e => e.Kind == WalEventKind.Poisoned);
        Assert.Equal(0, next.Stepped.Directory.JournalUsedBytes);
    }

    [Fact]
    public void A_failed_topic_that_is_deleted_leaves_nothing_behind()
    {
        var world = new JournalWorld();
        DurableLog bad = world.Stepped.Create(1);
        world.Append(bad, 1);
        world.Stepped.RunCommits();
        world.Append(bad, 2);
        world.Files.Before = (call, path) =>
        {
            if (call == FileCall.Write && path.Contains("/topics/1/", StringComparison.Ordinal))
            {
                throw new IOException("injected");
            }
        };
        world.Stepped.Append(bad, TestFrames.Build(11, 3, 1, 50));
        world.Files.Before = null;
        world.Stepped.RunCommits();
        Assert.Single(world.Stepped.Directory.Health.PoisonedTopics);
        world.Stepped.Directory.Delete(1);
        world.Stepped.RunBackground();
        world.Checkpoint();
        world.Checkpoint();
        Assert.Null(world.Stepped.Directory.Store.GetPoison(1));
        Assert.Equal(0, world.Stepped.Directory.JournalUsedBytes);
        world.Stepped.Directory.Dispose();
        Assert.True(new JournalWorld(world.Files, world.Clock).Stepped.Directory.WasClosedCleanly);
    }

    [Fact]
    public void What_is_acknowledged_while_the_first_sync_of_a_file_fails_is_kept_too()
    {
        var world = new JournalWorld();
        DurableLog bad = world.Stepped.Create(1), good = world.Stepped.Create(2);
        world.Append(bad, 1);
        world.Stepped.RunCommits();
        world.Files.Before = (call, path) =>
        {
            if (call == FileCall.Sync && path.Contains("/topics/1/", StringComparison.Ordinal))
            {
                if (bad.Durable == 1)
                {
                    world.Append(bad, 2);
                    world.Stepped.RunCommits(); // The journal goes on while the disk tries.
                }

                throw new IOException("injected");
            }
        };
        for (ulong i = 1; world.Counters.Checkpoints == 0; i++)
        {
            Assert.True(i < 40);
            world.Append(good, i, 1000);
            world.Stepped.RunCommits();
        }

        world.Files.Before = null;
        Assert.Equal(2, bad.Durable);
        Assert.Equal([1UL], world.Stepped.Directory.Health.PoisonedTopics);
        JournalWorld next = world.PowerCut(); // The file's name goes too: its entries make it again.
        Assert.DoesNotContain(next.Stepped.Events, e => e.Kind == WalEventKind.JournalDamaged);
        next = next.PowerCut(); // Nothing of it was synced yet: the tail must not have passed any of them.
        Assert.DoesNotContain(next.Stepped.Events, e => e.Kind == WalEventKind.JournalDamaged);
        DurableLog again = next.Stepped.Open(1);
        again.EnsureReady();
        next.Stepped.RunCommits();
        Assert.Equal((2, 2), (again.Durable, LogDriver.ReadAll(again, 0).Count));
        Assert.Empty(again.Damages);
        Assert.Contains(next.Stepped.Events, e => e.Kind == WalEventKind.Unpoisoned);
    }

    [Fact]
    public void Many_failed_logs_are_kept_in_little_space()
    {
        const int Failed = 30, Good = 100;
        var world = new JournalWorld();
        DurableLog[] bad = [.. Enumerable.Range(1, Failed).Select(i => world.Stepped.Create((ulong)i))];
        DurableLog good = world.Stepped.Create(Good);
        foreach (DurableLog log in bad)
        {
            world.Append(log, 1);
        }

        world.Stepped.RunCommits();
        world.Files.Before = (call, path) =>
        {
            if (call is FileCall.Sync && path.Contains("/topics/", StringComparison.Ordinal) && !path.Contains($"/topics/{Good}/", StringComparison.Ordinal))
            {
                throw new IOException("injected");
            }
        };
        for (ulong i = 1; i <= 100; i++)
        {
            world.Append(good, i, 1000);
            world.Stepped.RunCommits();
            if (i % 20 == 0)
            {
                world.Checkpoint();
            }
        }

        world.Files.Before = null;
        Assert.Equal(100, good.Durable);
        Assert.Equal(Failed, world.Stepped.Directory.Health.PoisonedTopics.Count);
        Assert.True(world.Stepped.Directory.JournalUsedBytes < JournalWorld.Bytes / 4 * 3, $"{world.Stepped.Directory.JournalUsedBytes} bytes are used.");
        Assert.True(world.Stepped.Events.Count(e => e.Kind == WalEventKind.BackgroundError) <= 1);
        JournalWorld next = world.PowerCut();
        Assert.All(Enumerable.Range(1, Failed), i => Assert.Equal(1, next.Stepped.Open((ulong)i).Committed));
    }
}
