using Danube.Fast.Core;

namespace Danube.Fast.Wal.Tests;

/// <summary>Background work that meets a log which was closed or deleted before its turn.</summary>
public sealed class DeletedWhileBusyTests
{
    private const ulong TopicId = 8;

    [Fact]
    public void An_opening_that_comes_after_the_delete_does_not_make_the_directory_again()
    {
        var files = new SimulatedFileSystem();
        var clock = new TestClock();
        var first = new SteppedDirectory(files, clock);
        DurableLog log = first.Create(TopicId);
        Assert.Equal(AppendStatus.Ok, first.Append(log, TestFrames.Build(1, 1, 3, 100)));
        first.RunCommits();

        var second = new SteppedDirectory(files.Kill(), clock);
        DurableLog reopened = second.Open(TopicId);
        second.Directory.Delete(TopicId);
        second.RunBackground();
        second.RunCommits();
        Assert.Empty(second.Files.List($"{SteppedDirectory.Root}/topics"));
        Assert.True(reopened.IsReady);
        Assert.Equal(AppendStatus.Failed, LogDriver.TryAppend(reopened, TestFrames.Build(1, 4, 1, 10), clock.NowMicros));
    }

    [Fact]
    public void An_allocation_that_comes_after_the_delete_poisons_nothing()
    {
        var stepped = new SteppedDirectory(new SimulatedFileSystem(), new TestClock());
        DurableLog log = stepped.Create(TopicId);
        Assert.Equal(AppendStatus.NotReady, LogDriver.TryAppend(log, TestFrames.Build(1, 1, 1, 100), stepped.Clock.NowMicros));
        stepped.Directory.Delete(TopicId);
        stepped.RunBackground();
        stepped.RunCommits();
        Assert.Equal(0, stepped.Directory.Counters.Poisoned);
        Assert.Null(stepped.Directory.Store.GetPoison(TopicId));
        Assert.Empty(stepped.Files.List($"{SteppedDirectory.Root}/topics"));
    }

    [Fact]
    public void A_failure_that_comes_while_the_topic_is_deleted_leaves_no_marker()
    {
        var stepped = new SteppedDirectory(new SimulatedFileSystem(), new TestClock());
        DurableLog log = stepped.Create(TopicId);
        Assert.Equal(AppendStatus.Ok, stepped.Append(log, TestFrames.Build(1, 1, 1, 100)));
        stepped.RunCommits();
        stepped.Files.Before = (call, _) =>
        {
            if (call == FileCall.SyncDirectory)
            {
                log.FailFrom(new IOException("injected")); // As a checkpoint's thread does it.
            }
        };
        stepped.Directory.Delete(TopicId);
        stepped.Files.Before = null;
        stepped.RunCommits();
        Assert.Null(stepped.Directory.Store.GetPoison(TopicId));
        Assert.DoesNotContain(stepped.Events, e => e.Kind == WalEventKind.Poisoned);
    }

    [Fact]
    public void A_read_whose_offset_is_deleted_meanwhile_finds_no_damage()
    {
        var stepped = new SteppedDirectory(new SimulatedFileSystem(), new TestClock());
        DurableLog log = stepped.Create(TopicId);
        var gate = new AskedGate();
        log.Gate = gate;
        stepped.Fill(log, 400, 1000);
        stepped.RunCommits();
        long last = log.SegmentsForTest[^1].BaseOffset;
        Assert.True(log.SegmentsForTest.Count > 2);
        LogPosition position = LogPosition.At(0);
        gate.OnAsked = () =>
        {
            gate.OnAsked = null;
            log.DeleteBelow(last);
            Assert.True(stepped.Directory.Cleaner.RunOne());
            Assert.Equal(last, log.LogStart);
        };
        Assert.Equal(ReadStatus.BelowStart, log.ReadCold(ref position, 1000, out _));
        Assert.Null(gate.OnAsked);
        Assert.Empty(log.Damages);
        Assert.Equal(0, stepped.Directory.Counters.Damages);
        Assert.DoesNotContain(stepped.Events, e => e.Kind == WalEventKind.Damaged);
    }

    [Fact]
    public async Task A_time_is_looked_up_in_what_is_left_when_the_front_is_deleted_meanwhile()
    {
        var files = new SimulatedFileSystem();
        var clock = new TestClock();
        var first = new SteppedDirectory(files, clock);
        first.Fill(first.Create(TopicId), 400, 1000);
        first.RunCommits();
        first.Directory.Dispose();
        var stepped = new SteppedDirectory(files, clock);
        DurableLog log = stepped.Open(TopicId);
        log.EnsureReady();
        long last = log.SegmentsForTest[^1].BaseOffset;
        Assert.True(log.SegmentsForTest.Count > 2);
        files.Before = (call, path) =>
        {
            if (call == FileCall.Open && path.EndsWith(".log", StringComparison.Ordinal))
            {
                files.Before = null;
                log.DeleteBelow(last);
                Assert.True(stepped.Directory.Cleaner.RunOne());
                Assert.Equal(last, log.LogStart);
            }
        };
        ValueTask<long> found = log.FindOffsetAsync(1);
        stepped.RunBackground();
        Assert.True(found.IsCompletedSuccessfully);
        Assert.Equal(last, await found);
    }

    // Asked for the visible end: behind the look at the log's start, in front of that at its segments.
    private sealed class AskedGate : OwnershipGate
    {
        public Action? OnAsked { get; set; }

        public override bool MayAcknowledge
        {
            get
            {
                OnAsked?.Invoke();
                return true;
            }
        }
    }
}
