using Danube.Fast.Core;

namespace Danube.Fast.Wal.Tests;

/// <summary>Deleting from the front.</summary>
public sealed class RetentionTests
{
    private readonly SimulatedFileSystem _files = new();
    private readonly TestClock _clock = new();

    [Fact]
    public void By_size_whole_segments_go_and_at_least_the_limit_stays()
    {
        var directory = new SteppedDirectory(_files, _clock);
        DurableLog log = directory.Create(1, retention: new LogRetention(0, 300_000));
        var observer = new RecordingObserver();
        log.Observer = observer;
        Fill(directory, log, 200);
        directory.Tick(TimeSpan.FromSeconds(11));
        Assert.InRange(log.SizeBytes, 300_000, 500_000);
        Assert.True(log.LogStart > 0);
        Assert.Equal(log.LogStart, observer.Starts[^1]);
        Assert.Equal(log.LogStart, LogDriver.ReadAll(log, log.LogStart)[0].Offset);
        LogPosition gone = LogPosition.At(0);
        Assert.Equal(ReadStatus.BelowStart, log.Read(ref gone, 1000, out _));
        Assert.Equal(log.SegmentsForTest.Count, _files.List("/data/topics/1").Count(n => n.EndsWith(".log", StringComparison.Ordinal)));
    }

    [Fact]
    public void By_time_the_active_segment_rolls_to_an_empty_one_and_offsets_go_on()
    {
        var directory = new SteppedDirectory(_files, _clock);
        DurableLog log = directory.Create(1, retention: new LogRetention(60_000, 0));
        Fill(directory, log, 30);
        directory.Tick(TimeSpan.FromSeconds(61)); // One age is enough, also for what the roll has just sealed.
        Assert.Equal(30, log.LogStart);
        Assert.Equal(30, log.Committed);
        Assert.Empty(LogDriver.ReadAll(log, 30));
        foreach (SimulatedFileSystem image in new[] { _files.Kill(), _files.Crash(new Random(1), 0), _files.Crash(new Random(2), 1) })
        {
            var next = new SteppedDirectory(image, _clock);
            DurableLog again = next.Open(1);
            Assert.Equal(30, again.LogStart);
            Assert.Equal(30, again.Committed);
            Assert.Equal(AppendStatus.Ok, next.Append(again, TestFrames.Build(1, 31, 1, 50)));
            Assert.Equal(31, again.Committed);
        }
    }

    [Fact]
    public void The_longest_age_is_for_ever()
    {
        var directory = new SteppedDirectory(_files, _clock);
        DurableLog log = directory.Create(1, retention: new LogRetention(long.MaxValue, 0));
        Fill(directory, log, 30);
        directory.Tick(TimeSpan.FromSeconds(61));
        Assert.Equal(0, log.LogStart);
    }

    [Fact]
    public void An_interrupted_delete_is_finished_by_the_next_open()
    {
        var directory = new SteppedDirectory(_files, _clock);
        DurableLog log = directory.Create(1, retention: new LogRetention(0, 200_000));
        Fill(directory, log, 200);
        _files.Before = (call, path) =>
        {
            if (call == FileCall.Unlink && path.EndsWith(".log", StringComparison.Ordinal))
            {
                throw new IOException("injected");
            }
        };
        directory.Tick(TimeSpan.FromSeconds(11));
        _files.Before = null;
        long start = log.LogStart;
        Assert.True(start > 0);
        Assert.Contains(SegmentNames.Of(0), _files.List("/data/topics/1"));
        var next = new SteppedDirectory(_files.Kill(), _clock);
        Assert.Equal(start, next.Open(1).LogStart);
        Assert.DoesNotContain(SegmentNames.Of(0), _files.List("/data/topics/1"));
    }

    [Fact]
    public void Nothing_goes_before_the_raised_start_is_on_disk()
    {
        var directory = new SteppedDirectory(_files, _clock);
        DurableLog log = directory.Create(1, retention: new LogRetention(0, 200_000));
        Fill(directory, log, 200);
        _files.Before = (call, path) =>
        {
            if (call == FileCall.Sync && path.Contains("cursors", StringComparison.Ordinal))
            {
                throw new IOException("injected");
            }
        };
        directory.Tick(TimeSpan.FromSeconds(11));
        _files.Before = null;
        Assert.Equal(0, log.LogStart);
        Assert.Contains(SegmentNames.Of(0), _files.List("/data/topics/1"));
        directory.Tick(TimeSpan.FromSeconds(11));
        Assert.True(log.LogStart > 0); // The next round succeeds.
    }

    private static void Fill(SteppedDirectory directory, DurableLog log, int frames)
    {
        for (int i = 0; i < frames; i++)
        {
            Assert.Equal(AppendStatus.Ok, directory.Append(log, TestFrames.Build(1, (ulong)i + 1, 1, 4000)));
        }

        directory.RunCommits();
    }
}
