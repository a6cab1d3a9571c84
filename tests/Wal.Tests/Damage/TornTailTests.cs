using Danube.Fast.Core;
using Danube.Fast.Protocol;

namespace Danube.Fast.Wal.Tests;

/// <summary>Bytes behind the last frame that look like frames: leftovers, another history, the payload of a torn one.</summary>
public sealed class TornTailTests
{
    private const int RecordBytes = 19, FrameBytes = 128 + 5 + RecordBytes; // No padding.
    private const string Segment0 = "/data/topics/1/00000000000000000000.log";
    private readonly SimulatedFileSystem _files = new();
    private readonly TestClock _clock = new();

    [Fact]
    public void A_bad_frame_that_nothing_proves_acknowledged_ends_the_log()
    {
        var directory = new SteppedDirectory(_files, _clock);
        DurableLog log = directory.Create(1);
        directory.Append(log, TestFrames.Build(1, 1, 1, RecordBytes));
        directory.RunCommits();
        for (ulong i = 2; i <= 6; i++)
        {
            directory.Append(log, TestFrames.Build(1, i, 1, RecordBytes));
        }

        _files.FileAt(Segment0).FlipBit((SegmentHeader.Size + (2 * FrameBytes) + 40) * 8);
        var next = new SteppedDirectory(_files.Kill(), _clock);
        DurableLog again = next.Open(1);
        Assert.Equal(2, again.Committed);
        Assert.Empty(again.Damages);
        Assert.Equal(4 * FrameBytes, next.Directory.Counters.LeftBehindBytes);
        Assert.Contains(next.Events, e => e.Kind == WalEventKind.TornTail);

        // Frames of the old history lie behind the end: they must not come back, however the new ones fall.
        for (ulong i = 3; i <= 6; i++)
        {
            Assert.Equal(AppendStatus.Ok, next.Append(again, TestFrames.Build(1, i, 1, RecordBytes)));
            Assert.Equal((long)i, new SteppedDirectory(next.Files.Kill(), _clock).Open(1).Committed);
        }
    }

    [Fact]
    public void A_frame_of_a_lower_generation_is_never_accepted()
    {
        var directory = new SteppedDirectory(_files, _clock);
        DurableLog log = directory.Create(1);
        byte[] run = TestFrames.Build(1, 1, 1, RecordBytes);
        directory.Append(log, run);
        byte[] stale = TestFrames.Build(1, 2, 1, RecordBytes);
        StreamHeaderWriter.Stamp(stale, 1, 1, 0, log.Generation - 1, 0);
        using (WalFile file = log.OpenForTest(log.SegmentsForTest[0]))
        {
            file.Write(stale, log.SegmentsForTest[0].CommittedPosition);
        }

        var next = new SteppedDirectory(_files.Kill(), _clock);
        Assert.Equal(1, next.Open(1).Committed);

        StreamHeaderWriter.Stamp(stale, 1, 1, 0, log.Generation, 0);
        using (WalFile file = log.OpenForTest(log.SegmentsForTest[0]))
        {
            file.Write(stale, log.SegmentsForTest[0].CommittedPosition);
        }

        Assert.Equal(2, new SteppedDirectory(_files.Kill(), _clock).Open(1).Committed);
    }

    [Fact]
    public void A_frame_in_the_payload_of_a_torn_one_is_not_taken_for_one_of_the_log()
    {
        var directory = new SteppedDirectory(_files, _clock);
        DurableLog log = directory.Create(1);
        directory.Append(log, TestFrames.Build(1, 1, 1, RecordBytes));
        directory.RunCommits();
        byte[] inner = TestFrames.Build(9, 1, 1, 100);
        StreamHeaderWriter.Stamp(inner, 7, _clock.NowMicros, 0, generation: 5_000_000, durableLag: 0); // Would prove that offsets 1 to 6 were acknowledged.
        directory.Append(log, TestFrames.Around(1, 2, inner));
        using (WalFile file = log.OpenForTest(log.SegmentsForTest[0]))
        {
            file.Write(new byte[ProtocolLimits.HeaderSize], SegmentHeader.Size + FrameBytes); // The outer header did not reach the disk.
        }

        DurableLog again = new SteppedDirectory(_files.Kill(), _clock).Open(1);
        Assert.Equal(1, again.Committed);
        Assert.Empty(again.Damages);
    }
}
