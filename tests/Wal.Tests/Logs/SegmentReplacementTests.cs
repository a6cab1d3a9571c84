using Danube.Fast.Core;

namespace Danube.Fast.Wal.Tests;

/// <summary>An empty segment whose name the next one needs: it is replaced, never kept beside it.</summary>
public sealed class SegmentReplacementTests
{
    private const ulong TopicId = 3;

    [Fact]
    public void A_frame_too_large_for_the_empty_segment_of_a_retention_roll_keeps_its_file()
    {
        var files = new SimulatedFileSystem();
        var clock = new TestClock();
        var stepped = new SteppedDirectory(files, clock);
        DurableLog log = stepped.Create(TopicId, retention: new LogRetention(3_600_000, 64 * 1024));
        Publish(stepped, log, 1, 100);
        RollToEmpty(stepped);
        Assert.Equal((1, 1), (log.LogStart, log.SegmentsForTest.Single().BaseOffset));

        Publish(stepped, log, 2, 100_000);
        stepped.Tick(TimeSpan.FromMinutes(1));
        Segment only = log.SegmentsForTest.Single();
        Assert.True(files.FileExists(only.Path));
        Assert.Equal(1, log.FindOffsetAsyncNow(stepped, clock.NowMicros - 120_000_000));

        var again = new SteppedDirectory(files.Kill(), clock);
        DurableLog recovered = again.Open(TopicId);
        Assert.Equal(2, recovered.Committed);
        Assert.Empty(again.Directory.Health.Damages);
        again.RunCommits();
        Assert.Equal(1, LogDriver.ReadAll(recovered, 1).Single().Offset);
    }

    [Fact]
    public void The_segment_behind_a_sealed_empty_one_replaces_it()
    {
        var files = new SimulatedFileSystem();
        var clock = new TestClock();
        var stepped = new SteppedDirectory(files, clock);
        DurableLog log = stepped.Create(TopicId, retention: new LogRetention(3_600_000, 0));
        Publish(stepped, log, 1, 100);
        RollToEmpty(stepped);
        Segment empty = log.SegmentsForTest.Single();
        var marker = new byte[Protocol.ProtocolLimits.HeaderSize];
        FrameCheck.WriteEndMarker(marker, 1, clock.NowMicros, 0, log.Generation);
        using (WalFile file = log.OpenForTest(empty))
        {
            file.Write(marker, SegmentHeader.Size);
            file.DataSync();
        }

        var again = new SteppedDirectory(files.Kill(), clock);
        DurableLog recovered = again.Open(TopicId, retention: new LogRetention(0, 32 * 1024));
        Publish(again, recovered, 2, 100);
        again.Tick(TimeSpan.FromMinutes(1));
        Assert.Single(recovered.SegmentsForTest, s => s.BaseOffset == 1);
        Assert.Equal(1, LogDriver.ReadAll(recovered, 1, cold: true).Single().Offset);
    }

    // The first round starts the empty segment; the old one goes when that has reached the age limit too.
    private static void RollToEmpty(SteppedDirectory stepped)
    {
        stepped.Tick(TimeSpan.FromHours(2));
        stepped.Tick(TimeSpan.FromHours(2));
    }

    private static void Publish(SteppedDirectory stepped, DurableLog log, ulong sequence, int recordBytes)
    {
        Assert.Equal(AppendStatus.Ok, stepped.Append(log, TestFrames.Build(1, sequence, 1, recordBytes)));
        stepped.RunCommits();
        Assert.Equal(log.Committed, log.Durable);
    }
}

file static class LogTimes
{
    public static long FindOffsetAsyncNow(this DurableLog log, SteppedDirectory stepped, long unixMicros)
    {
        ValueTask<long> found = log.FindOffsetAsync(unixMicros);
        stepped.RunBackground();
        Assert.True(found.IsCompletedSuccessfully);
        return found.GetAwaiter().GetResult();
    }
}
