using Danube.Fast.Core;

namespace Danube.Fast.Wal.Tests;

/// <summary>Opening is lazy, idle logs are small, cursors come back.</summary>
public sealed class OpeningTests
{
    private readonly SimulatedFileSystem _files = new();
    private readonly TestClock _clock = new();

    [Fact]
    public void After_a_clean_stop_a_thousand_logs_open_without_reading_a_file()
    {
        const int Topics = 1000;
        var directory = new SteppedDirectory(_files, _clock);
        for (ulong i = 1; i <= Topics; i++)
        {
            directory.Append(directory.Create(i), TestFrames.Build(1, 1, 1, 100));
        }

        directory.RunCommits();
        directory.Directory.Dispose();
        var next = new SteppedDirectory(_files, _clock);
        int opened = _files.Calls[(int)FileCall.Open];
        DurableLog[] logs = [.. Enumerable.Range(1, Topics).Select(i => next.Open((ulong)i))];
        Assert.Equal(opened, _files.Calls[(int)FileCall.Open]);
        Assert.All(logs, l => Assert.Equal(1, l.Durable));
        Assert.Equal(0, next.Directory.Counters.RecoveredLogs);
        Assert.Equal(0, next.Directory.Counters.Syncs);
    }

    [Fact]
    public void After_a_clean_stop_a_log_is_as_large_as_before()
    {
        var directory = new SteppedDirectory(_files, _clock);
        DurableLog log = directory.Create(1);
        directory.Fill(log, 300, 5000);
        directory.RunCommits();
        long size = log.SizeBytes;
        Assert.True(log.SegmentsForTest.Count > 4);
        directory.Directory.Dispose();

        // Of a segment that nobody has looked into the file counts: what lies unused behind its data is less than a frame.
        DurableLog again = new SteppedDirectory(_files, _clock).Open(1);
        Assert.InRange(again.SizeBytes, size, size + (again.SegmentsForTest.Count * 6000));
        int opened = _files.Calls[(int)FileCall.Open];
        Assert.InRange(again.SizeBytes, size, size + (again.SegmentsForTest.Count * 6000));
        Assert.Equal(opened, _files.Calls[(int)FileCall.Open]);
    }

    [Fact]
    public void After_an_unclean_stop_only_the_unfinished_segments_are_scanned()
    {
        var directory = new SteppedDirectory(_files, _clock);
        DurableLog log = directory.Create(1);
        directory.Fill(log, 300, 5000);

        directory.RunCommits();
        directory.Tick(TimeSpan.FromSeconds(2));
        directory.RunCommits();
        directory.Append(log, TestFrames.Build(1, 301, 1, 5000));
        var next = new SteppedDirectory(_files.Kill(), _clock);
        Assert.Equal(301, next.Open(1).Committed);
        Assert.InRange(next.Directory.Counters.ScannedBytes, 1, 2 * 256 * 1024);
    }

    [Fact]
    public async Task An_append_waits_for_the_scan_without_blocking()
    {
        var directory = new SteppedDirectory(_files, _clock);
        directory.Append(directory.Create(1), TestFrames.Build(1, 1, 1, 100));
        var next = new SteppedDirectory(_files.Kill(), _clock);
        DurableLog log = next.Open(1);
        Assert.Equal(AppendStatus.NotReady, LogDriver.TryAppend(log, TestFrames.Build(1, 2, 1, 100), 1));
        Task wait = log.WaitForRoomAsync().AsTask();
        Assert.False(wait.IsCompleted);
        LogPosition position = LogPosition.At(0);
        Assert.Equal(ReadStatus.Cold, log.Read(ref position, 100, out _));
        next.RunBackground();
        await wait.WaitAsync(TimeSpan.FromSeconds(120));
        Assert.Equal(AppendStatus.Ok, next.Append(log, TestFrames.Build(1, 2, 1, 100)));
    }

    [Fact]
    public void An_idle_log_gives_its_maps_and_handles_back_and_wakes_up_again()
    {
        var directory = new SteppedDirectory(_files, _clock);
        DurableLog log = directory.Create(1);
        directory.Fill(log, 30, 5000);

        directory.RunCommits();
        uint generation = log.Generation;
        for (int i = 0; i < 12; i++)
        {
            directory.Tick(TimeSpan.FromMinutes(1));
        }

        Assert.All(log.SegmentsForTest, s => Assert.True(s.Map is null && s.File is null && s.Index is null));
        Assert.Equal(30, LogDriver.ReadAll(log, 0).Count);
        Assert.Equal(AppendStatus.Ok, directory.Append(log, TestFrames.Build(1, 31, 1, 100)));
        Assert.True(log.Generation > generation);
        directory.RunCommits();
        Assert.Equal(31, LogDriver.ReadAll(log, 0).Count);
    }

    [Fact]
    public void When_handles_are_short_a_log_at_rest_gives_its_own_back_soon_and_goes_on_as_it_was()
    {
        var directory = new SteppedDirectory(_files, _clock);
        DurableLog log = directory.Create(1);
        directory.Append(log, TestFrames.Build(1, 1, 1, 100));
        directory.RunCommits();
        Rest(directory, seconds: 5);
        Assert.NotNull(log.SegmentsForTest[0].File);
        uint generation = log.Generation;
        _files.HasFewHandles = true;
        Rest(directory, seconds: 5);
        Assert.Null(log.SegmentsForTest[0].File);
        Assert.Equal(AppendStatus.Ok, directory.Append(log, TestFrames.Build(1, 2, 1, 100)));
        Assert.Equal(generation, log.Generation);
        directory.RunCommits();
        Assert.Equal((2, 2), (log.Durable, LogDriver.ReadAll(log, 0).Count));
        Assert.Equal(2, new SteppedDirectory(_files.Crash(new Random(1), 0), _clock).Open(1).Committed);
    }

    [Fact]
    public void When_handles_are_short_full_segments_are_closed_without_waiting_for_the_checkpoints_time()
    {
        var world = new JournalWorld(_files, _clock, 1024 * 1024);
        DurableLog log = world.Stepped.Create(1);
        Rest(world.Stepped, seconds: 1); // The next checkpoint by time is five seconds away.
        for (ulong i = 1; i <= 10; i++)
        {
            world.Append(log, i, 10_000);
            world.Stepped.RunCommits();
        }

        Rest(world.Stepped, seconds: 1);
        Assert.Contains(log.SegmentsForTest, s => s.IsSealed && s.File is not null);
        _files.HasFewHandles = true;
        Rest(world.Stepped, seconds: 1);
        Assert.DoesNotContain(log.SegmentsForTest, s => s.IsSealed && s.File is not null);
        Assert.Equal(10, LogDriver.ReadAll(log, 0).Count);
    }

    [Fact]
    public async Task A_log_without_a_record_is_scanned_with_few_files_open()
    {
        var directory = new SteppedDirectory(_files, _clock, o => o with { FirstSegmentBytes = 8192, SegmentBytes = 8192, SnapshotIntervalBytes = 1 << 30 });
        DurableLog log = directory.Create(1);
        directory.Fill(log, 60, 5000);
        directory.RunCommits();
        SimulatedFileSystem left = _files.Kill();
        left.Unlink(SteppedDirectory.Root + "/cursors.log");
        var next = new SteppedDirectory(left, _clock);
        DurableLog again = next.Open(1);
        left.MostHandles = left.Handles + 4;
        Assert.Equal(60, await Task.Run(() => again.Committed).WaitAsync(TimeSpan.FromSeconds(60))); // Without a handle it would try for ever.
        next.RunCommits();
        Assert.Equal((60, 60), (again.Durable, LogDriver.ReadAll(again, 0, cold: true).Count));
    }

    [Fact]
    public void First_segments_differ_in_size_so_that_logs_that_are_written_alike_do_not_all_roll_at_once()
    {
        var directory = new SteppedDirectory(_files, _clock, o => o with { SpreadSegments = true });
        long[] sizes = [.. Enumerable.Range(1, 64).Select(i =>
        {
            DurableLog log = directory.Create((ulong)i);
            directory.Append(log, TestFrames.Build(1, 1, 1, 100));
            return log.SegmentsForTest[0].Capacity;
        })];
        Assert.All(sizes, s => Assert.InRange(s, 32 * 1024, 64 * 1024));
        Assert.Equal(64, sizes.Distinct().Count());
        Assert.InRange(sizes.Count(s => s < 46_341), 22, 42); // As many in the lower half of a doubling as in the upper.
    }

    [Fact]
    public void Logs_that_are_emptied_together_keep_first_segments_of_different_sizes()
    {
        var directory = new SteppedDirectory(_files, _clock, o => o with { SpreadSegments = true });
        DurableLog[] logs = [.. Enumerable.Range(1, 64).Select(i => directory.Create((ulong)i))];
        Array.ForEach(logs, log => directory.Append(log, TestFrames.Build(1, 1, 1, 100)));
        long[] before = [.. logs.Select(l => l.SegmentsForTest[0].Capacity)];
        directory.RunCommits();
        Array.ForEach(logs, log => log.DeleteBelow(long.MaxValue));
        Rest(directory, seconds: 3);
        directory.RunBackground();
        Assert.All(logs, log => Assert.Equal((1, 1), (log.LogStart, Assert.Single(log.SegmentsForTest).BaseOffset)));
        Assert.Equal(before, logs.Select(l => l.SegmentsForTest[0].Capacity));
        Assert.Equal(64, before.Distinct().Count());
    }

    private static void Rest(SteppedDirectory directory, int seconds)
    {
        for (int i = 0; i < seconds * 2; i++)
        {
            directory.Tick(TimeSpan.FromMilliseconds(500));
            directory.RunCommits();
        }
    }

    [Fact]
    public void A_run_stays_valid_after_its_segment_has_left_the_log()
    {
        var directory = new SteppedDirectory(_files, _clock);
        DurableLog log = directory.Create(1);
        directory.Append(log, TestFrames.Build(1, 1, 1, 100));
        directory.RunCommits();
        LogPosition position = LogPosition.At(0);
        Assert.Equal(ReadStatus.Ok, log.Read(ref position, 1000, out LogRun run));
        run.Owner.Retain();
        byte[] bytes = run.Bytes.ToArray();
        log.Dispose();
        directory.Tick(TimeSpan.FromSeconds(1));
        Assert.Equal(bytes, run.Bytes.ToArray());
        Assert.Equal(ReadStatus.Failed, log.Read(ref position, 1000, out _));
        run.Owner.Release();
        run.Owner.Release();
        Assert.Throws<InvalidOperationException>(run.Owner.Release);
    }

    [Fact]
    public async Task Cursors_are_saved_soon_and_durably_when_asked()
    {
        var directory = new SteppedDirectory(_files, _clock);
        CursorStore cursors = directory.Directory.Cursors;
        cursors.Save(7, "slow", [1, 2, 3]);
        Assert.Equal([1, 2, 3], cursors.Load(7, "slow"));
        Assert.Null(new SteppedDirectory(_files.Crash(new Random(1), 0), _clock).Directory.Cursors.Load(7, "slow"));
        directory.Tick(TimeSpan.FromMilliseconds(200));
        directory.RunCommits();
        Assert.Equal([1, 2, 3], new SteppedDirectory(_files.Crash(new Random(1), 0), _clock).Directory.Cursors.Load(7, "slow"));

        Task saved = cursors.SaveDurableAsync(7, "sure", new byte[] { 9 }).AsTask();
        Assert.False(saved.IsCompleted);
        directory.RunCommits();
        await saved;
        cursors.Save(8, "other", [4]);
        cursors.RemoveTopic(7);
        directory.Tick(TimeSpan.FromMilliseconds(200));
        directory.RunCommits();
        CursorStore again = new SteppedDirectory(_files.Crash(new Random(1), 0), _clock).Directory.Cursors;
        Assert.Null(again.Load(7, "slow"));
        Assert.Null(again.Load(7, "sure"));
        Assert.Equal([4], again.Load(8, "other"));
    }

    [Fact]
    public async Task A_cursor_that_cannot_be_synced_is_an_error_and_is_tried_again()
    {
        var directory = new SteppedDirectory(_files, _clock);
        _files.Before = (call, _) =>
        {
            if (call == FileCall.Sync)
            {
                throw new IOException("injected");
            }
        };
        Task saved = directory.Directory.Cursors.SaveDurableAsync(7, "sub", new byte[] { 9 }).AsTask();
        directory.RunCommits();
        await Assert.ThrowsAsync<IOException>(() => saved);
        Assert.NotNull(directory.Directory.Health.StoreFailure);
        _files.Before = null;
        directory.Tick(TimeSpan.FromSeconds(1));
        directory.RunCommits();
        Assert.Null(directory.Directory.Health.StoreFailure);
        Assert.Equal([9], new SteppedDirectory(_files.Crash(new Random(1), 0), _clock).Directory.Cursors.Load(7, "sub"));
    }
}
