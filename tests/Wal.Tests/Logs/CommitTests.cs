using Danube.Fast.Core;

namespace Danube.Fast.Wal.Tests;

/// <summary>What may be acknowledged, and when.</summary>
public sealed class CommitTests
{
    private readonly SimulatedFileSystem _files = new();
    private readonly TestClock _clock = new();

    [Fact]
    public void Durable_moves_only_after_the_sync_has_returned()
    {
        var directory = new SteppedDirectory(_files, _clock);
        DurableLog log = directory.Create(1);
        var seen = new List<long>();
        _files.Before = (call, path) =>
        {
            if (call == FileCall.Sync && path.Contains("prepared", StringComparison.Ordinal))
            {
                seen.Add(log.Durable);
            }
        };
        directory.Append(log, TestFrames.Build(1, 1, 3, 50));
        Assert.Equal(0, log.Durable);
        directory.RunCommits();
        Assert.Equal(3, log.Durable);
        Assert.Equal([0L], seen);
    }

    [Fact]
    public void What_is_appended_while_a_sync_runs_belongs_to_the_next_round()
    {
        var directory = new SteppedDirectory(_files, _clock);
        DurableLog log = directory.Create(1);
        var observer = new RecordingObserver();
        log.Observer = observer;
        directory.Append(log, TestFrames.Build(1, 1, 1, 50));
        int during = 0;
        _files.Before = (call, _) =>
        {
            if (call == FileCall.SyncDirectory && during++ == 0)
            {
                directory.Append(log, TestFrames.Build(1, 2, 1, 50)); // The file is synced already, the round is not over.
            }
        };
        Assert.True(directory.Directory.Committer.RunOne());
        Assert.Equal(1, log.Durable);
        Assert.Equal(2, log.Committed);
        directory.RunCommits();
        Assert.Equal([1L, 2L], observer.Durable);
    }

    [Fact]
    public void Segments_become_durable_file_by_file_in_order()
    {
        var directory = new SteppedDirectory(_files, _clock);
        DurableLog log = directory.Create(1);
        var observer = new RecordingObserver();
        log.Observer = observer;
        for (ulong i = 0; i < 40; i++)
        {
            directory.Append(log, TestFrames.Build(1, 1 + i, 1, 10_000));
        }

        directory.RunCommits();
        Assert.True(observer.Durable.Count >= 3);
        Assert.Equal(observer.Durable.Order(), observer.Durable);
        Assert.Equal(log.SegmentsForTest.Skip(1).Select(s => s.BaseOffset).Append(40), observer.Durable);
    }

    [Fact]
    public void A_failed_sync_poisons_the_log_and_a_restart_reads_the_disk()
    {
        var directory = new SteppedDirectory(_files, _clock);
        DurableLog log = directory.Create(1);
        var observer = new RecordingObserver();
        log.Observer = observer;
        directory.Append(log, TestFrames.Build(1, 1, 1, 50));
        directory.RunCommits();
        directory.Append(log, TestFrames.Build(1, 2, 1, 700));
        FailNext(FileCall.Sync, "prepared");
        directory.RunCommits();
        Assert.Equal(1, log.Durable);
        Assert.Single(observer.Failures);
        Assert.Equal(AppendStatus.Failed, directory.Append(log, TestFrames.Build(1, 3, 1, 50)));
        directory.Tick(TimeSpan.FromSeconds(5));
        directory.RunCommits();
        Assert.Equal(1, log.Durable); // No later sync may report success.
        Assert.Single(LogDriver.ReadAll(log, 0)); // Reads up to the durable end go on.
        Assert.Equal([1UL], directory.Directory.Health.PoisonedTopics);

        // The page cache of the same machine still shows the second frame as clean; the disk does not have it.
        var next = new SteppedDirectory(_files.Kill(), _clock);
        DurableLog again = next.Open(1);
        Assert.Equal(1, again.Committed);
        Assert.Equal(AppendStatus.Ok, next.Append(again, TestFrames.Build(1, 2, 1, 50)));
        next.RunCommits();
        Assert.Equal(2, again.Durable);
        Assert.Contains(next.Events, e => e.Kind == WalEventKind.Unpoisoned);
        Assert.Null(next.Directory.Store.GetPoison(1));
    }

    [Fact]
    public void A_poison_marker_that_cannot_be_written_makes_all_logs_suspect()
    {
        var directory = new SteppedDirectory(_files, _clock);
        DurableLog log = directory.Create(1);
        DurableLog other = directory.Create(2);
        directory.Append(log, TestFrames.Build(1, 1, 1, 50));
        directory.Append(other, TestFrames.Build(2, 1, 1, 50));
        directory.RunCommits();
        directory.Tick(TimeSpan.FromSeconds(2));
        directory.RunCommits();
        directory.Append(log, TestFrames.Build(1, 2, 1, 700));
        _files.Before = (call, path) =>
        {
            if (call == FileCall.Sync && !path.EndsWith("checkpoint", StringComparison.Ordinal))
            {
                throw new IOException("injected");
            }
        };
        directory.RunCommits();
        _files.Before = null;
        var next = new SteppedDirectory(_files.Kill(), _clock);
        Assert.Equal(CheckpointFlags.Suspect, next.Directory.Checkpoint.FoundFlags);
        Assert.Equal(1, next.Directory.Store.GetPoison(1));
        Assert.Equal(1, next.Directory.Store.GetPoison(2));
        Assert.Equal(1, next.Open(1).Committed);
        Assert.Equal(1, next.Open(2).Committed);
    }

    [Fact]
    public void A_failed_write_poisons_the_log()
    {
        var directory = new SteppedDirectory(_files, _clock);
        DurableLog log = directory.Create(1);
        var observer = new RecordingObserver();
        log.Observer = observer;
        directory.Append(log, TestFrames.Build(1, 1, 1, 50));
        FailNext(FileCall.Write, "prepared");
        Assert.Equal(AppendStatus.Failed, directory.Append(log, TestFrames.Build(1, 2, 1, 50)));
        directory.RunCommits();
        Assert.Equal(0, log.Durable);
        Assert.Single(observer.Failures);
        Assert.NotNull(log.Failure);
        Assert.Equal(1, directory.Directory.Counters.Poisoned);
    }

    [Fact]
    public void Recovered_is_not_durable_before_a_sync_of_this_process()
    {
        var directory = new SteppedDirectory(_files, _clock);
        DurableLog log = directory.Create(1);
        directory.Append(log, TestFrames.Build(1, 1, 1, 50));
        directory.RunCommits();
        directory.Append(log, TestFrames.Build(1, 2, 1, 50)); // In the page cache only when the process dies.
        SimulatedFileSystem killed = _files.Kill();
        var next = new SteppedDirectory(killed, _clock);
        DurableLog again = next.Open(1);
        Assert.Equal(2, again.Committed);
        Assert.True(again.Durable <= 1);
        Assert.DoesNotContain(LogDriver.ReadAll(again, again.LogStart, cold: true), f => f.Offset >= 1);

        // A power cut now may still take the second frame; after the sync it may not.
        Assert.Equal(1, new SteppedDirectory(killed.Crash(new Random(1), 0), _clock).Open(1).Committed);
        next.RunCommits();
        Assert.Equal(2, again.Durable);
        Assert.Equal(2, new SteppedDirectory(killed.Crash(new Random(1), 0), _clock).Open(1).Committed);
    }

    [Fact]
    public void Os_logs_are_synced_in_the_background_and_visible_at_once()
    {
        var directory = new SteppedDirectory(_files, _clock);
        DurableLog log = directory.Create(1, DurabilityClass.Os);
        directory.Append(log, TestFrames.Build(1, 1, 1, 50));
        directory.RunCommits();
        Assert.Equal(0, log.Durable);
        Assert.Single(LogDriver.ReadAll(log, 0));
        directory.Tick(TimeSpan.FromSeconds(1.1));
        directory.RunCommits();
        Assert.Equal(1, log.Durable);
        directory.Append(log, TestFrames.Build(1, 2, 1, 50));
        directory.Tick(TimeSpan.FromSeconds(1.1));
        directory.RunCommits();
        Assert.Equal(2, log.Durable);
    }

    [Fact]
    public void A_full_disk_at_a_roll_is_retryable_and_heals_by_itself()
    {
        var directory = new SteppedDirectory(_files, _clock);
        DurableLog log = directory.Create(1);
        _files.FreeBytes = 100_000;
        ulong sequence = 1;
        while (directory.Append(log, TestFrames.Build(1, sequence, 1, 5000)) == AppendStatus.Ok)
        {
            sequence++;
        }

        Assert.Equal(AppendStatus.DiskFull, directory.Append(log, TestFrames.Build(1, sequence, 1, 5000)));
        Assert.True(directory.Directory.Health.DiskFull);
        Assert.Null(log.Failure);
        directory.RunCommits();
        Assert.Equal((long)sequence - 1, log.Durable);
        _files.FreeBytes = long.MaxValue / 2;
        directory.Tick(TimeSpan.FromSeconds(1)); // Nobody has to publish for the next attempt.
        directory.RunBackground();
        Assert.False(directory.Directory.Health.DiskFull);
        Assert.Equal(AppendStatus.Ok, directory.Append(log, TestFrames.Build(1, sequence, 1, 5000)));
        Assert.Equal([WalEventKind.DiskFull, WalEventKind.DiskRecovered], directory.Events.Select(e => e.Kind).Where(k => k is WalEventKind.DiskFull or WalEventKind.DiskRecovered));
    }

    [Fact]
    public void Below_the_low_water_mark_publishes_are_refused_and_reads_go_on()
    {
        var directory = new SteppedDirectory(_files, _clock);
        DurableLog log = directory.Create(1);
        directory.Append(log, TestFrames.Build(1, 1, 1, 50));
        directory.RunCommits();
        _files.FreeBytes = 1000;
        directory.Tick(TimeSpan.FromSeconds(2));
        Assert.Equal(AppendStatus.DiskLow, directory.Append(log, TestFrames.Build(1, 2, 1, 50)));
        Assert.True(directory.Directory.Health.DiskLow);
        Assert.Single(LogDriver.ReadAll(log, 0));
        _files.FreeBytes = long.MaxValue / 2;
        directory.Tick(TimeSpan.FromSeconds(2));
        Assert.Equal(AppendStatus.Ok, directory.Append(log, TestFrames.Build(1, 2, 1, 50)));
    }

    private void FailNext(FileCall call, string part) => _files.Before = (c, path) =>
    {
        if (c == call && path.Contains(part, StringComparison.Ordinal))
        {
            _files.Before = null;
            throw new IOException("injected");
        }
    };
}
