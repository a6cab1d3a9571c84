using Danube.Fast.Core;

namespace Danube.Fast.Wal.Tests;

/// <summary>Too many open files and a full disk pass by themselves: a retryable answer, no poison, and the log goes on when they have passed.</summary>
public sealed class BlockedTests
{
    private const int TooManyFiles = 24, NoSpace = 28;
    private readonly SimulatedFileSystem _files = new();
    private readonly TestClock _clock = new();

    [Theory]
    [InlineData(FileCall.Create, TooManyFiles, AppendStatus.OutOfHandles)]
    [InlineData(FileCall.Create, NoSpace, AppendStatus.DiskFull)]
    [InlineData(FileCall.Rename, NoSpace, AppendStatus.DiskFull)]
    [InlineData(FileCall.Write, NoSpace, AppendStatus.DiskFull)]
    public void At_the_start_of_a_segment(FileCall call, int error, AppendStatus expected)
    {
        SteppedDirectory directory = AtARoll(out DurableLog log, out ulong sequence);
        Refuse(call, "prepared-", error);
        byte[] frame = TestFrames.Build(1, sequence, 1, 20_000);
        AppendStatus status = directory.Append(log, frame);
        for (int i = 0; i < 5; i++)
        {
            Assert.Equal(expected, status);
            directory.Tick(TimeSpan.FromSeconds(1));
            directory.RunBackground();
            status = directory.Append(log, frame);
        }

        Assert.Equal((expected == AppendStatus.DiskFull, expected == AppendStatus.OutOfHandles), (directory.Directory.Health.DiskFull, directory.Directory.Health.OutOfHandles));
        Assert.Equal((int)sequence - 1, LogDriver.ReadAll(log, 0).Count);
        _files.Before = null;
        directory.Tick(TimeSpan.FromSeconds(1));
        directory.RunBackground();
        Assert.Equal(AppendStatus.Ok, directory.Append(log, frame));
        GoesOn(directory, log, sequence);
        Assert.DoesNotContain(directory.Events, e => e.Kind == WalEventKind.Poisoned);
    }

    [Fact]
    public void A_segment_that_is_prepared_ahead_without_a_handle_refuses_nothing()
    {
        var directory = new SteppedDirectory(_files, _clock);
        DurableLog log = directory.Create(1);
        ulong sequence = 1;
        Refuse(FileCall.Create, "prepared-2", TooManyFiles);
        for (; sequence <= 3; sequence++)
        {
            Assert.Equal(AppendStatus.Ok, directory.Append(log, TestFrames.Build(1, sequence, 1, 20_000)));
            directory.RunBackground();
        }

        Assert.True(_files.Calls[(int)FileCall.Create] > 1);
        Assert.True(directory.Directory.Health.IsHealthy);
        Assert.DoesNotContain(directory.Events, e => e.Kind == WalEventKind.OutOfHandles);
        Assert.Equal(AppendStatus.Ok, directory.Append(log, TestFrames.Build(1, sequence, 1, 20_000)));
        GoesOn(directory, log, sequence);
    }

    [Fact]
    public void At_the_directory_sync_of_a_new_segment()
    {
        SteppedDirectory directory = AtARoll(out DurableLog log, out ulong sequence);
        Assert.Equal(AppendStatus.Ok, directory.Append(log, TestFrames.Build(1, sequence, 1, 20_000)));
        Refuse(FileCall.SyncDirectory, "topics/1", TooManyFiles);
        directory.RunCommits();
        Assert.Equal((int)sequence - 1, log.Durable); // Not acknowledged, not poisoned.
        Assert.Null(log.Failure);
        _files.Before = null;
        directory.Tick(TimeSpan.FromSeconds(1));
        GoesOn(directory, log, sequence);
    }

    [Fact]
    public void When_an_idle_log_is_written_again()
    {
        SteppedDirectory directory = AtARoll(out DurableLog log, out ulong sequence);
        directory.Tick(TimeSpan.FromSeconds(1));
        directory.Tick(TimeSpan.FromSeconds(700));
        Assert.Null(log.SegmentsForTest[^1].File);
        Refuse(FileCall.Open, ".log", TooManyFiles);
        Assert.Equal(AppendStatus.OutOfHandles, directory.Append(log, TestFrames.Build(1, sequence, 1, 50)));
        _files.Before = null;
        Assert.Equal(AppendStatus.Ok, directory.Append(log, TestFrames.Build(1, sequence, 1, 50)));
        GoesOn(directory, log, sequence);
    }

    [Fact]
    public void When_a_log_is_opened_and_when_it_is_read()
    {
        SteppedDirectory directory = AtARoll(out DurableLog log, out ulong sequence);
        directory.Directory.Dispose();
        var next = new SteppedDirectory(_files, _clock);
        log = next.Open(1);
        Refuse(FileCall.Open, ".log", TooManyFiles, times: 3);
        Assert.Equal((long)sequence - 1, log.Committed);
        Assert.Null(log.Failure);
        Refuse(FileCall.Open, ".log", TooManyFiles, times: 3);
        LogPosition position = LogPosition.At(0);
        Assert.Equal(ReadStatus.Ok, log.ReadCold(ref position, 1000, out LogRun run));
        run.Owner.Release();
        Assert.Equal(AppendStatus.Ok, next.Append(log, TestFrames.Build(1, sequence, 1, 50)));
        GoesOn(next, log, sequence);
    }

    [Fact]
    public void Retention_tries_again_and_does_not_stop_the_log()
    {
        var directory = new SteppedDirectory(_files, _clock);
        DurableLog log = directory.Create(1, retention: new LogRetention(60_000, 0));
        directory.Append(log, TestFrames.Build(1, 1, 1, 50));
        directory.RunCommits();
        Refuse(FileCall.Rename, "prepared-", NoSpace);
        directory.Tick(TimeSpan.FromSeconds(61));
        Assert.Equal((0, null), (log.LogStart, log.Failure));
        _files.Before = null;
        directory.Tick(TimeSpan.FromSeconds(11));
        Assert.Equal(1, log.LogStart);
        Assert.Single(_files.List("/data/topics/1"), n => n.EndsWith(".log", StringComparison.Ordinal));
        Assert.DoesNotContain(_files.List("/data/topics/1"), n => n.StartsWith("prepared", StringComparison.Ordinal));
    }

    // A segment that is nearly full: the next large frame needs a new one.
    private SteppedDirectory AtARoll(out DurableLog log, out ulong sequence)
    {
        var directory = new SteppedDirectory(_files, _clock, o => o with { SnapshotIntervalBytes = 1 << 30 });
        log = directory.Create(1);
        sequence = 1;
        for (; sequence <= 6; sequence++)
        {
            Assert.Equal(AppendStatus.Ok, directory.Append(log, TestFrames.Build(1, sequence, 1, 5000)));
        }

        Assert.Equal(AppendStatus.Ok, directory.Append(log, TestFrames.Build(1, sequence++, 1, 20_000)));
        directory.RunCommits();
        return directory;
    }

    private void GoesOn(SteppedDirectory directory, DurableLog log, ulong sequence)
    {
        directory.RunCommits();
        Assert.Null(log.Failure);
        Assert.Equal((long)sequence, log.Durable);
        Assert.True(directory.Directory.Health.IsHealthy);
        Assert.Equal((int)sequence, LogDriver.ReadAll(log, 0).Count);
        DurableLog again = new SteppedDirectory(_files.Crash(new Random(1), 0), _clock).Open(1);
        Assert.Equal((int)sequence, again.Committed);
    }

    private void Refuse(FileCall call, string part, int error, int times = int.MaxValue) => _files.Before = (c, path) =>
    {
        if (c == call && path.Contains(part, StringComparison.Ordinal) && times-- > 0)
        {
            throw new IOException("injected", error);
        }
    };
}
