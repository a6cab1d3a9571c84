using Danube.Fast.Core;

namespace Danube.Fast.Wal.Tests;

/// <summary>Who waits for whose sync: small commits for the journal only, whatever the files need.</summary>
public sealed class CommitLaneTests
{
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(120);

    [Fact]
    public async Task A_large_sync_holds_up_no_small_commit_and_who_synced_tells()
    {
        var files = new SimulatedFileSystem();
        using var begun = new ManualResetEventSlim();
        using var goOn = new ManualResetEventSlim();
        using DataDirectory directory = DataDirectory.Open(SteppedDirectory.Root, new WalOptions { FileSystem = files, JournalBytes = 1024 * 1024 });
        TopicLog large = directory.Create(1, DurabilityClass.Fsync, default);
        TopicLog[] small = [.. Enumerable.Range(2, 5).Select(i => directory.Create((ulong)i, DurabilityClass.Fsync, default))];
        var tellers = new ThreadNotes();
        Array.ForEach([large, .. small], log => log.Observer = tellers);
        files.Before = (call, path) =>
        {
            if (call == FileCall.Sync && path.Contains("/topics/1/", StringComparison.Ordinal))
            {
                begun.Set();
                goOn.Wait(2 * Guard);
            }
        };
        try
        {
            await LogDriver.AppendAsync(large, TestFrames.Build(1, 1, 1, 200_000));
            Assert.True(begun.Wait(Guard));
            foreach (TopicLog log in small)
            {
                await LogDriver.AppendAsync(log, TestFrames.Build(log.TopicId, 1, 1, 100));
                await LogContractTests.WaitAsync(() => tellers.Of(log.TopicId) is not null);
                Assert.Equal((0, 1), (large.Durable, log.Durable));
            }
        }
        finally
        {
            goOn.Set();
        }

        await LogContractTests.WaitAsync(() => tellers.Of(1) is not null);
        Assert.Equal(1, large.Durable);
        Assert.Equal("danube-sync", tellers.Of(1));

        // One wake-up between publish and acknowledgement. Not all of them must be so: who meets housekeeping at its lock goes to the sync threads.
        Assert.Contains("danube-committer", small.Select(log => tellers.Of(log.TopicId)));
    }

    [Fact]
    public async Task A_log_that_is_being_synced_by_itself_holds_up_no_other_one()
    {
        var world = new JournalWorld();
        DurableLog busy = world.Stepped.Create(1), other = world.Stepped.Create(2);
        world.Append(busy, 1);
        world.Append(other, 1);
        world.Stepped.RunCommits();
        using var begun = new ManualResetEventSlim();
        using var goOn = new ManualResetEventSlim();
        world.Files.Before = (call, path) =>
        {
            if (call == FileCall.Sync && path.Contains("/topics/1/", StringComparison.Ordinal))
            {
                begun.Set();
                goOn.Wait(2 * Guard);
            }
        };
        Task sync = Task.Run(busy.CommitToFiles); // As before a deletion from its front.
        try
        {
            Assert.True(begun.Wait(Guard));
            world.Append(busy, 2);
            world.Append(other, 2);
            await Task.Run(() => world.Stepped.Directory.Committer.RunOne()).WaitAsync(Guard);
            Assert.Equal((1, 2), (busy.Durable, other.Durable));
        }
        finally
        {
            goOn.Set();
            await sync;
        }

        world.Stepped.RunCommits();
        Assert.Equal(2, busy.Durable);
        Assert.Equal((2, 2), (world.PowerCut().Stepped.Open(1).Committed, world.PowerCut().Stepped.Open(2).Committed));
    }

    [Fact]
    public void A_full_ring_slows_commits_and_never_stops_them()
    {
        var world = new JournalWorld();
        DurableLog log = world.Stepped.Create(1);
        for (ulong i = 1; i <= 100; i++)
        {
            world.Append(log, i, 1000);
            Assert.True(world.Stepped.Directory.Committer.RunOne()); // A group: the checkpoint that was asked for never has its turn.
            Assert.Equal((long)i, log.Durable);
        }

        Assert.Equal(100, world.Counters.JournalGroups);
        Assert.True(world.Counters.JournalBytes > 5 * JournalWorld.Bytes);
        Assert.Equal(100, world.PowerCut().Stepped.Open(1).Committed);
    }

    [Theory]
    [InlineData(false, null)]
    [InlineData(true, null)]
    [InlineData(false, "/data/topics")]
    public void Very_many_files_are_one_sync_of_their_file_system_and_when_that_fails_the_culprit_is_found(bool fails, string? mount)
    {
        const int Logs = JournalCheckpoint.BulkAbove + 10, Bad = 7;
        var world = new JournalWorld(new SimulatedFileSystem { Mount = mount }, journalBytes: 4 * 1024 * 1024);
        DurableLog[] logs = [.. Enumerable.Range(1, Logs).Select(i => world.Stepped.Create((ulong)i))];
        Array.ForEach(logs, log => world.Append(log, 1));
        world.Stepped.RunCommits();
        int together = 0, single = 0;
        world.Files.Before = (call, path) =>
        {
            together += call == FileCall.SyncVolume ? 1 : 0;
            bool isSingle = call == FileCall.Sync && path.Contains("/topics/", StringComparison.Ordinal);
            single += isSingle ? 1 : 0;
            if (fails && (call == FileCall.SyncVolume || (isSingle && path.Contains($"/topics/{Bad}/", StringComparison.Ordinal))))
            {
                throw new IOException("injected");
            }
        };
        world.Checkpoint();
        world.Files.Before = null;
        Assert.Equal((1, fails ? Logs : 0), (together, single));
        ulong[] poisoned = fails ? [Bad] : [];
        Assert.Equal(poisoned, world.Stepped.Directory.Health.PoisonedTopics);
        Assert.Equal(fails, world.Stepped.Directory.JournalUsedBytes > 0); // What the culprit lacks is kept.
        JournalWorld next = world.PowerCut();
        Assert.All(Enumerable.Range(1, Logs), i =>
        {
            DurableLog log = next.Stepped.Open((ulong)i);
            Assert.Equal(1, log.Committed);
            Assert.Empty(log.Damages);
        });
    }

    // The name of the thread that told first, by topic.
    private sealed class ThreadNotes : ILogObserver
    {
        private readonly System.Collections.Concurrent.ConcurrentDictionary<ulong, string> _names = new();

        public string? Of(ulong topicId) => _names.GetValueOrDefault(topicId);

        public void OnDurable(TopicLog log) => _names.TryAdd(log.TopicId, Thread.CurrentThread.Name ?? "");

        public void OnLogStart(TopicLog log)
        {
        }

        public void OnFailed(TopicLog log, Exception cause)
        {
        }
    }
}
