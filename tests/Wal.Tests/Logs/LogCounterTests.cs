using Danube.Fast.Core;

namespace Danube.Fast.Wal.Tests;

/// <summary>What a log counts and measures of itself.</summary>
public sealed class LogCounterTests
{
    private readonly SteppedDirectory _directory = new(new SimulatedFileSystem(), new TestClock());

    [Fact]
    public void Rotations_and_deletions_are_counted_by_reason()
    {
        DurableLog full = _directory.Create(1, retention: new LogRetention(0, 200_000));
        Fill(full, 200);
        int files = full.SegmentsForTest.Count;
        Assert.Equal((files - 1, 0, 0), Rotations(full));
        _directory.Tick(TimeSpan.FromSeconds(11));
        Assert.Equal((files - full.SegmentsForTest.Count, 0), Deletions(full));
        Assert.True(full.Counters.Deletions(DeleteReason.Retention) > 0);

        DurableLog old = _directory.Create(2, retention: new LogRetention(60_000, 0));
        Fill(old, 5);
        Assert.Equal((0, 0, 0), Rotations(old));
        _directory.Tick(TimeSpan.FromSeconds(61));
        Assert.Equal(((0, 1, 0), (1, 0)), (Rotations(old), Deletions(old)));

        DurableLog done = _directory.Create(3);
        Fill(done, 200);
        files = done.SegmentsForTest.Count;
        done.DeleteBelow(long.MaxValue);
        _directory.RunBackground();
        Assert.Equal((0, files - 1), Deletions(done));
    }

    [Fact]
    public void Runs_from_memory_and_from_the_file_are_told_apart()
    {
        DurableLog log = _directory.Create(1);
        Fill(log, 3);
        Read(log, 0);
        Read(log, 2);
        Assert.Equal((2, 0, 2), (log.Counters.CacheHits, log.Counters.CacheMisses, log.Counters.ReadLatency.Count));
        LogPosition end = LogPosition.At(6);
        Assert.Equal(ReadStatus.AtEnd, log.Read(ref end, 4096, out _));
        var sink = new ColdSink();
        log.BeginColdRead(LogPosition.At(0), 4096, sink);
        _directory.RunBackground();
        Assert.Equal([ReadStatus.Ok], sink.Answers);
        Assert.Equal((2, 1, 3), (log.Counters.CacheHits, log.Counters.CacheMisses, log.Counters.ReadLatency.Count));
    }

    [Fact]
    public void An_append_lasts_until_it_is_durable_and_of_an_os_log_until_it_is_written()
    {
        DurableLog log = _directory.Create(1), os = _directory.Create(2, DurabilityClass.Os);
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(AppendStatus.Ok, _directory.Append(log, TestFrames.Build(1, (ulong)i + 1, 1, 100)));
            Assert.Equal(AppendStatus.Ok, _directory.Append(os, TestFrames.Build(1, (ulong)i + 1, 1, 100)));
        }

        Assert.Equal((0, 3), (log.Counters.AppendLatency.Count, os.Counters.AppendLatency.Count));
        MetricHistogram syncs = _directory.Directory.Counters.SyncBatchBytes;
        long before = syncs.Count;
        double bytes = syncs.Sum;
        _directory.RunCommits();
        Assert.Equal((3, 3), (log.Counters.AppendLatency.Count, os.Counters.AppendLatency.Count));
        Assert.True(syncs.Count > before && syncs.Sum >= bytes + (3 * 100));
    }

    [Fact]
    public void Marks_are_recorded_once_in_order_and_those_beyond_the_limit_never()
    {
        const int Limit = 16 * 1024;
        var marks = new AppendMarks();
        var latency = new MetricHistogram(HistogramScale.LatencyMs);
        for (int i = 1; i <= Limit + 5; i++)
        {
            marks.Note(i, MetricClock.System.Now);
        }

        marks.RecordBelow(10, MetricClock.System, latency);
        Assert.Equal(10, latency.Count);
        marks.RecordBelow(10, MetricClock.System, latency);
        Assert.Equal(10, latency.Count);
        marks.RecordBelow(long.MaxValue, MetricClock.System, latency);
        Assert.Equal(Limit, latency.Count);
    }

    [Fact]
    public void Marks_keep_their_memory_until_they_are_trimmed_and_never_lose_one_to_that()
    {
        var marks = new AppendMarks();
        var latency = new MetricHistogram(HistogramScale.LatencyMs);
        Assert.True(Noting(1) > 0);
        Assert.Equal(0, Noting(2));
        marks.Trim(); // Two are on the way.
        marks.RecordBelow(2, MetricClock.System, latency);
        Assert.Equal(2, latency.Count);
        Assert.Equal(0, Noting(3));
        marks.RecordBelow(3, MetricClock.System, latency);
        marks.Trim();
        Assert.True(Noting(4) > 0);

        long Noting(long end)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            marks.Note(end, 1);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    private static (long Size, long Time, long Epoch) Rotations(DurableLog log) =>
        (log.Counters.Rotations(RotateReason.Size), log.Counters.Rotations(RotateReason.Time), log.Counters.Rotations(RotateReason.Epoch));

    private static (long Retention, long Compaction) Deletions(DurableLog log) =>
        (log.Counters.Deletions(DeleteReason.Retention), log.Counters.Deletions(DeleteReason.Compaction));

    private static void Read(DurableLog log, long offset)
    {
        LogPosition position = LogPosition.At(offset);
        Assert.Equal(ReadStatus.Ok, log.Read(ref position, 4096, out LogRun run));
        run.Owner.Release();
    }

    private void Fill(DurableLog log, int frames)
    {
        for (int i = 0; i < frames; i++)
        {
            Assert.Equal(AppendStatus.Ok, _directory.Append(log, TestFrames.Build(1, (ulong)(2 * i) + 1, 2, 2000)));
        }

        _directory.RunCommits();
    }
}
