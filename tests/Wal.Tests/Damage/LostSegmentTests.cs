using Danube.Fast.Core;

namespace Danube.Fast.Wal.Tests;

/// <summary>A segment file that is gone, and damage that no scan looks at.</summary>
public sealed class LostSegmentTests
{
    private const int RecordBytes = 19, FrameBytes = 128 + 5 + RecordBytes; // No padding.
    private const string Segment0 = "/data/topics/1/00000000000000000000.log";
    private readonly SimulatedFileSystem _files = new();
    private readonly TestClock _clock = new();

    [Fact]
    public void A_lost_segment_in_the_middle_is_damage()
    {
        var directory = new SteppedDirectory(_files, _clock);
        DurableLog log = directory.Create(1);
        for (ulong i = 1; i <= 60; i++)
        {
            directory.Append(log, TestFrames.Build(1, i, 1, 5000));
            directory.RunCommits();
        }

        Assert.True(log.SegmentsForTest.Count >= 3);
        long from = log.SegmentsForTest[1].BaseOffset, to = log.SegmentsForTest[2].BaseOffset;
        _files.Unlink(log.SegmentsForTest[1].Path);
        var next = new SteppedDirectory(_files.Kill(), _clock);
        DurableLog again = next.Open(1);
        Assert.Equal(60, again.Committed);
        Assert.Equal([(from, to)], again.Damages);
        next.RunCommits();
        Assert.Equal(60 - to, LogDriver.ReadAll(again, to).Count);
        LogPosition position = LogPosition.At(from);
        Assert.Equal(ReadStatus.Damaged, again.ReadCold(ref position, 1000, out _));
    }

    [Fact]
    public void Damage_in_a_segment_that_no_scan_looked_at_is_found_by_its_reader()
    {
        var directory = new SteppedDirectory(_files, _clock);
        DurableLog log = directory.Create(1);
        directory.Fill(log, 60, 5000);

        directory.RunCommits();
        directory.Directory.Dispose();
        _files.FileAt(Segment0).FlipBit((SegmentHeader.Size + (3 * 5136) + 1000) * 8); // Content of the fourth frame.
        var next = new SteppedDirectory(_files.Kill(), _clock);
        DurableLog again = next.Open(1);
        Assert.True(next.Directory.WasClosedCleanly);
        Assert.Equal(3, LogDriver.ReadUntilDamage(again));
        Assert.Equal([(3L, 4L)], again.Damages);
        Assert.Equal(56, LogDriver.ReadAll(again, 4).Count);
    }

    [Fact]
    public void Damage_in_the_last_segment_after_a_clean_stop_is_found_by_its_reader()
    {
        var directory = new SteppedDirectory(_files, _clock);
        DurableLog log = directory.Create(1);
        directory.Fill(log, 6, RecordBytes);

        directory.RunCommits();
        directory.Directory.Dispose();
        _files.FileAt(Segment0).FlipBit((SegmentHeader.Size + (3 * FrameBytes) + 140) * 8);
        var next = new SteppedDirectory(_files.Kill(), _clock);
        DurableLog again = next.Open(1);
        Assert.Equal(3, LogDriver.ReadUntilDamage(again)); // As a dispatcher reads, not cold from the start.
        Assert.Equal([(3L, 4L)], again.Damages);
        Assert.Equal(2, LogDriver.ReadAll(again, 4).Count);
    }
}
