using Danube.Fast.Core;
using Danube.Fast.Protocol;

namespace Danube.Fast.Wal.Tests;

/// <summary>A log is put aside and another one takes its id while the journal still has entries of the first: they are not for the second.</summary>
public sealed class SuccessorTests
{
    private const ulong TopicId = 1;

    public enum End
    {
        Kill,
        PowerCut,

        /// <summary>A power cut that also takes the newer slot of the checkpoint: everything in the ring is replayed, also what was behind the tail.</summary>
        LostSlot,
    }

    public static TheoryData<long, End> Cases
    {
        get
        {
            var cases = new TheoryData<long, End>();
            foreach (long start in new long[] { 0, 3, 5, 9 })
            {
                cases.Add(start, End.Kill);
                cases.Add(start, End.PowerCut);
                cases.Add(start, End.LostSlot);
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Entries_of_the_former_log_are_not_replayed_into_the_one_that_has_its_id_now(long start, End end)
    {
        var world = new JournalWorld();
        DurableLog other = world.Stepped.Create(2);
        Former(world, frames: 5);
        Assert.NotNull(world.Stepped.Directory.Park(TopicId));
        var log = (DurableLog)world.Stepped.Directory.CreateAt(TopicId, DurabilityClass.Fsync, default, start);
        Assert.Equal(AppendStatus.Ok, world.Stepped.Append(log, TestFrames.Build(77, 1, 1, 60)));
        world.Append(other, 1);
        world.Stepped.RunCommits();
        Assert.Equal((start + 1, 1), (log.Durable, other.Durable));
        JournalWorld next = Next(world, end);
        Check(next, start, records: 1);

        // Also when that process dies before anything of it was checkpointed.
        JournalWorld third = next.PowerCut();
        Check(third, start, records: 1);
        Assert.Equal(1, third.Stepped.Open(2).Committed);
    }

    [Fact]
    public void What_the_new_log_commits_itself_is_replayed()
    {
        var world = new JournalWorld();
        Former(world, frames: 1); // Few groups: at a quarter of the ring a checkpoint would sync the files.
        world.Stepped.Directory.Park(TopicId);
        var log = (DurableLog)world.Stepped.Directory.CreateAt(TopicId, DurabilityClass.Fsync, default, 1);
        var synced = new List<string>();
        world.Files.Before = (call, path) => synced.AddRange(call == FileCall.Sync && path.Contains("/topics/", StringComparison.Ordinal) ? [path] : []);
        for (ulong i = 1; i <= 2; i++)
        {
            Assert.Equal(AppendStatus.Ok, world.Stepped.Append(log, TestFrames.Build(77, i, 1, 60)));
            world.Stepped.RunCommits();
        }

        Assert.Equal(3, log.Durable);
        Assert.Empty(synced);
        Check(world.PowerCut(), 1, records: 2);
    }

    [Fact]
    public void A_file_of_the_former_log_that_cannot_be_synced_does_not_stop_the_one_that_has_its_id_now()
    {
        var world = new JournalWorld();
        Former(world, frames: 2);

        // Replay opens the file; the checkpoint syncs it later.
        JournalWorld next = world.PowerCut();
        next.Stepped.Directory.Park(TopicId);
        var log = (DurableLog)next.Stepped.Directory.CreateAt(TopicId, DurabilityClass.Fsync, default, 0);
        CheckpointWithFailingSyncs(next);
        Assert.Null(log.Failure);
        Assert.Empty(next.Stepped.Directory.Health.PoisonedTopics);
        Assert.Equal(AppendStatus.Ok, next.Stepped.Append(log, TestFrames.Build(77, 1, 1, 60)));
        next.Stepped.RunCommits();
        Assert.Equal(1, log.Durable);
        next.Checkpoint();
        next.Stepped.Directory.Dispose();
        Assert.True(new JournalWorld(next.Files, next.Clock).Stepped.Directory.WasClosedCleanly);
    }

    [Fact]
    public void A_file_of_the_former_log_that_failed_before_the_new_log_came_keeps_nothing_in_the_journal()
    {
        var world = new JournalWorld();
        Former(world, frames: 2);
        JournalWorld next = world.PowerCut();
        next.Stepped.Directory.Park(TopicId);
        CheckpointWithFailingSyncs(next);
        Assert.NotEqual(0, next.Stepped.Directory.JournalUsedBytes); // Nobody has taken the id over yet.
        var log = (DurableLog)next.Stepped.Directory.CreateAt(TopicId, DurabilityClass.Fsync, default, 0);
        Assert.Equal(AppendStatus.Ok, next.Stepped.Append(log, TestFrames.Build(77, 1, 1, 60)));
        next.Checkpoint();
        Assert.Equal(1, log.Durable);
        Assert.Equal(0, next.Stepped.Directory.JournalUsedBytes);
        next.Stepped.Directory.Dispose();
        Assert.True(new JournalWorld(next.Files, next.Clock).Stepped.Directory.WasClosedCleanly);
    }

    [Fact]
    public void A_failure_of_the_former_log_that_is_told_late_does_not_stop_the_one_that_has_its_id_now()
    {
        var world = new JournalWorld();
        Former(world, frames: 2);
        DataDirectory directory = world.Stepped.Directory;
        directory.Park(TopicId);
        var log = (DurableLog)directory.CreateAt(TopicId, DurabilityClass.Fsync, default, 0);
        uint former = directory.Store.FirstGenerationOf(TopicId) - 1;
        Assert.NotEqual(0u, former);
        var file = new ReplayedFile(world.Files, TopicId, former, $"/data/topics/{TopicId}/former", 0, isSuspect: false);

        // The checkpoint asked before the id was taken over.
        directory.OnFileFailed(file, new IOException("injected"));
        Assert.Null(log.Failure);
        log.Dispose();
        directory.OnFileFailed(file, new IOException("injected"));
        Assert.Null(directory.Store.GetPoison(TopicId));
    }

    [Fact]
    public void What_the_new_log_commits_after_the_checkpoint_went_missing_is_replayed()
    {
        var world = new JournalWorld();
        Former(world, frames: 1);
        world.Stepped.Directory.Park(TopicId);
        world.Stepped.Directory.CreateAt(TopicId, DurabilityClass.Fsync, default, 1);
        SimulatedFileSystem left = world.Files.Crash(new Random(1), 0);
        left.Unlink("/data/checkpoint");
        var next = new JournalWorld(left, world.Clock);
        DurableLog log = next.Stepped.Open(TopicId);
        Assert.Equal(AppendStatus.Ok, next.Stepped.Append(log, TestFrames.Build(77, 1, 1, 60)));
        next.Stepped.RunCommits(); // By itself, with the opening; the next one goes into the journal.
        next.CountTopicSyncs();
        Assert.Equal(AppendStatus.Ok, next.Stepped.Append(log, TestFrames.Build(77, 2, 1, 60)));
        next.Stepped.RunCommits();
        Assert.Equal((3, 0), (log.Durable, next.TopicSyncs));
        Check(next.PowerCut(), 1, records: 2);
    }

    private static void CheckpointWithFailingSyncs(JournalWorld world)
    {
        world.Files.Before = (call, path) =>
        {
            if (call == FileCall.Sync && path.Contains("/topics/", StringComparison.Ordinal))
            {
                throw new IOException("injected");
            }
        };
        world.Checkpoint();
        world.Files.Before = null;
    }

    private static void Former(JournalWorld world, int frames)
    {
        var log = (DurableLog)world.Stepped.Directory.CreateAt(TopicId, DurabilityClass.Fsync, default, 0);
        for (int i = 1; i <= frames; i++)
        {
            world.Append(log, (ulong)i);
            world.Stepped.RunCommits();
        }

        Assert.Equal(frames, log.Durable);
    }

    private static JournalWorld Next(JournalWorld world, End end)
    {
        switch (end)
        {
            case End.Kill:
                return world.Kill();
            case End.PowerCut:
                return world.PowerCut();
            default:
                world.Checkpoint();
                Assert.Equal(0, world.Stepped.Directory.JournalUsedBytes);
                SimulatedFileSystem left = world.Files.Crash(new Random(1), 0);
                Assert.True(CheckpointSlot.TryRead(Slot(left, 0), out CheckpointSlot even));
                Assert.True(CheckpointSlot.TryRead(Slot(left, 1), out CheckpointSlot odd));
                left.FileAt("/data/checkpoint").FlipBit(((even.Number > odd.Number ? 0 : CheckpointSlot.Size) + 100) * 8L);
                return new JournalWorld(left, world.Clock);
        }
    }

    private static byte[] Slot(SimulatedFileSystem files, int index) =>
        files.FileAt("/data/checkpoint").Cache.AsSpan(index * CheckpointSlot.Size, CheckpointSlot.Size).ToArray();

    // Exactly the frames of the second log, no damage, and no file that is not its own.
    private static void Check(JournalWorld world, long start, int records)
    {
        DurableLog log = world.Stepped.Open(TopicId);
        Assert.Equal((start, start + records), (log.LogStart, log.Committed));
        world.Stepped.RunCommits();
        Assert.Empty(log.Damages);
        Assert.Null(log.Failure);
        Assert.DoesNotContain(world.Stepped.Events, e => e.Kind is WalEventKind.JournalDamaged or WalEventKind.TornTail);
        Assert.Equal(start, Assert.Single(log.SegmentsForTest).BaseOffset);
        List<(long Offset, byte[] Frame)> frames = LogDriver.ReadAll(log, start, cold: true);
        Assert.Equal(records, frames.Count);
        Assert.All(frames, f => Assert.Equal(77u, new StreamHeader(f.Frame).ProducerId));
    }
}
