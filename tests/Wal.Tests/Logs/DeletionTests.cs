using Danube.Fast.Core;

namespace Danube.Fast.Wal.Tests;

/// <summary>Giving up the front on request: exact, durable before it is seen, offsets and producers go on.</summary>
public sealed class DeletionTests
{
    private readonly SimulatedFileSystem _files = new();
    private readonly TestClock _clock = new();

    [Fact]
    public void The_start_is_exact_also_inside_of_a_frame_and_survives_every_crash()
    {
        SteppedDirectory directory = Filled(out DurableLog log, frames: 100);
        var observer = new RecordingObserver();
        log.Observer = observer;
        foreach (long start in new long[] { 1, 7, 150, 151 })
        {
            Delete(directory, log, start);
            Assert.Equal(start, log.LogStart);
            Assert.Equal(start, observer.Starts[^1]);
            LogPosition below = LogPosition.At(start - 1);
            Assert.Equal(ReadStatus.BelowStart, log.Read(ref below, 1000, out _));
            Assert.Equal(start / 2 * 2, LogDriver.ReadAll(log, start)[0].Offset);
            foreach (SimulatedFileSystem image in new[] { _files.Crash(new Random(1), 0), _files.Crash(new Random(2), 0.5), _files.Crash(new Random(3), 1) })
            {
                DurableLog again = new SteppedDirectory(image, _clock).Open(1);
                Assert.Equal((start, 200), (again.LogStart, again.Committed));
                Assert.Equal(200ul, again.Producers.LastSequence(1));
            }
        }

        Assert.DoesNotContain(SegmentNames.Of(0), _files.List("/data/topics/1"));
    }

    [Fact]
    public void It_never_goes_down_and_nothing_is_given_up_that_is_not_durable()
    {
        SteppedDirectory directory = Filled(out DurableLog log, frames: 10);
        Delete(directory, log, 12);
        Delete(directory, log, 3);
        Assert.Equal(12, log.LogStart);
        directory.Append(log, TestFrames.Build(1, 21, 2, 100)); // No commit runs.
        Delete(directory, log, long.MaxValue);
        Assert.Equal((20, 22), (log.LogStart, log.Committed));
        directory.RunCommits();
        directory.Tick(TimeSpan.FromSeconds(2));
        Assert.Equal(20, log.LogStart); // What came after the call stays.
        Assert.Single(LogDriver.ReadAll(log, 20));
    }

    [Fact]
    public void An_os_log_is_synced_before_its_start_passes_the_durable_end()
    {
        var directory = new SteppedDirectory(_files, _clock);
        DurableLog log = directory.Create(1, DurabilityClass.Os);
        directory.Append(log, TestFrames.Build(1, 1, 5, 100));
        Delete(directory, log, 4);
        Assert.Equal((4, 5), (log.LogStart, log.Durable));
        DurableLog again = new SteppedDirectory(_files.Crash(new Random(1), 0), _clock).Open(1);
        Assert.Equal((4, 5), (again.LogStart, again.Committed));
    }

    [Fact]
    public void Everything_given_up_frees_the_files_and_offsets_and_sequences_go_on()
    {
        SteppedDirectory directory = Filled(out DurableLog log, frames: 100);
        Delete(directory, log, long.MaxValue);
        Assert.Equal((200, 200), (log.LogStart, log.Committed));
        directory.Tick(TimeSpan.FromSeconds(2));
        Assert.Equal([SegmentNames.Of(200)], Segments(_files));
        Assert.Equal(0, log.SizeBytes);
        foreach (SimulatedFileSystem image in new[] { _files.Crash(new Random(1), 0), _files.Crash(new Random(2), 1), _files.Kill() })
        {
            var next = new SteppedDirectory(image, _clock);
            DurableLog again = next.Open(1);
            Assert.Equal((200, 200), (again.LogStart, again.Committed));
            Assert.Equal(200ul, again.Producers.LastSequence(1));
            Assert.Equal(AppendStatus.Ok, next.Append(again, TestFrames.Build(1, 201, 1, 50)));
            next.RunCommits();
            Assert.Equal(200, Assert.Single(LogDriver.ReadAll(again, 200)).Offset);
        }
    }

    [Fact]
    public void A_full_disk_does_not_keep_the_start_down()
    {
        SteppedDirectory directory = Filled(out DurableLog log, frames: 100);
        _files.FreeBytes = 0;
        Delete(directory, log, long.MaxValue);
        directory.Tick(TimeSpan.FromSeconds(2));
        directory.Tick(TimeSpan.FromSeconds(2));
        Assert.Equal(200, log.LogStart);
        Assert.Null(log.Failure);
        _files.FreeBytes = 1 << 30;
        directory.Tick(TimeSpan.FromSeconds(2));
        Assert.Equal([SegmentNames.Of(200)], Segments(_files));
    }

    [Fact]
    public void A_segment_given_up_while_it_was_the_last_goes_once_the_next_one_is_there()
    {
        SteppedDirectory directory = Filled(out DurableLog log, frames: 4);
        Delete(directory, log, long.MaxValue);
        Assert.Equal([SegmentNames.Of(0)], Segments(_files));
        Assert.Equal(AppendStatus.Ok, directory.Append(log, TestFrames.Build(1, 9, 1, 100_000))); // Does not fit.
        directory.RunCommits();

        // A cut here must not lose the producer's sequences with the file.
        DurableLog again = new SteppedDirectory(_files.Crash(new Random(1), 0), _clock).Open(1);
        Assert.Equal((8, 9ul), (again.LogStart, again.Producers.LastSequence(1)));
        directory.Tick(TimeSpan.FromSeconds(1));
        Assert.Equal([SegmentNames.Of(8)], Segments(_files));
        again = new SteppedDirectory(_files.Crash(new Random(1), 0), _clock).Open(1);
        Assert.Equal((8, 9ul), (again.LogStart, again.Producers.LastSequence(1)));
    }

    [Fact]
    public void No_record_written_meanwhile_takes_the_start_back()
    {
        SteppedDirectory directory = Filled(out DurableLog log, frames: 10);
        int failures = 0;
        _files.Before = (call, path) =>
        {
            if (call == FileCall.Sync && path.Contains("cursors", StringComparison.Ordinal) && failures++ == 0)
            {
                throw new IOException("injected");
            }
        };
        Delete(directory, log, 6);
        Assert.Equal(0, log.LogStart); // Not on the disk, so not seen.
        directory.Append(log, TestFrames.Build(1, 21, 2, 100));
        directory.RunCommits();
        log.StateTick(); // Writes the moved durable end.
        directory.Directory.Store.Records.Sync();
        Assert.Equal(6, new SteppedDirectory(_files.Crash(new Random(1), 0), _clock).Open(1).LogStart);
        directory.Tick(TimeSpan.FromSeconds(1));
        Assert.Equal(6, log.LogStart);
    }

    [Fact]
    public void Many_requests_cost_few_syncs_and_the_last_one_holds()
    {
        SteppedDirectory directory = Filled(out DurableLog log, frames: 100);
        int before = _files.Calls[(int)FileCall.Sync];
        for (long start = 1; start <= 20; start++)
        {
            Delete(directory, log, start, passMs: 1);
        }

        Assert.True(_files.Calls[(int)FileCall.Sync] - before < 5);
        directory.Tick(TimeSpan.FromSeconds(1));
        Assert.Equal(20, log.LogStart);
    }

    [Fact]
    public void Retention_stops_at_its_limit_and_a_request_does_not()
    {
        var directory = new SteppedDirectory(_files, _clock);
        DurableLog log = directory.Create(1, retention: new LogRetention(60_000, 10_000));
        log.RetentionLimit = 50;
        Fill(directory, log, 100);
        for (int i = 0; i < 3; i++)
        {
            directory.Tick(TimeSpan.FromSeconds(61));
            directory.RunCommits();
        }

        Assert.InRange(log.LogStart, 1, 50);
        Delete(directory, log, 60);
        Assert.Equal(60, log.LogStart);
        log.RetentionLimit = long.MaxValue;
        for (int i = 0; i < 3; i++)
        {
            directory.Tick(TimeSpan.FromSeconds(61));
            directory.RunCommits();
        }

        Assert.Equal(200, log.LogStart);
    }

    [Fact]
    public void Bytes_behind_an_offset_are_estimated_before_and_after_a_restart()
    {
        SteppedDirectory directory = Filled(out DurableLog log, frames: 100);
        long whole = log.SizeBytes;
        Assert.Equal(whole, log.BytesFrom(0));
        Assert.InRange(log.BytesFrom(100), whole * 3 / 10, whole * 7 / 10);
        Assert.InRange(log.BytesFrom(198), 1, whole / 50);
        Assert.Equal(0, log.BytesFrom(200));
        directory.Directory.Dispose();
        DurableLog again = new SteppedDirectory(_files, _clock).Open(1);
        Assert.InRange(again.BytesFrom(100), whole * 3 / 10, whole * 7 / 10);
        Assert.InRange(again.BytesFrom(0), whole, whole + 10_000);
        Assert.Equal(0, again.BytesFrom(200));
    }

    private SteppedDirectory Filled(out DurableLog log, int frames)
    {
        var directory = new SteppedDirectory(_files, _clock);
        log = directory.Create(1);
        Fill(directory, log, frames);
        return directory;
    }

    private static void Fill(SteppedDirectory directory, DurableLog log, int frames)
    {
        for (int i = 0; i < frames; i++)
        {
            Assert.Equal(AppendStatus.Ok, directory.Append(log, TestFrames.Build(1, (ulong)(2 * i) + 1, 2, 2000)));
        }

        directory.RunCommits();
    }

    private void Delete(SteppedDirectory directory, DurableLog log, long start, int passMs = 100)
    {
        _clock.Advance(TimeSpan.FromMilliseconds(passMs));
        log.DeleteBelow(start);
        directory.RunBackground();
    }

    private static string[] Segments(SimulatedFileSystem files) => [.. files.List("/data/topics/1").Where(n => n.EndsWith(".log", StringComparison.Ordinal))];
}
