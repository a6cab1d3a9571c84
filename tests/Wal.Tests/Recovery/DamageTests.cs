using Danube.Fast.Core;
using Danube.Fast.Protocol;

namespace Danube.Fast.Wal.Tests;

/// <summary>Torn tail or damage: every cut and sampled bit flips of the last segments.</summary>
public sealed class DamageTests
{
    private const int RecordBytes = 19, FrameBytes = 128 + 5 + RecordBytes; // No padding, so that a cut takes something.
    private const string Segment0 = "/data/topics/1/00000000000000000000.log";
    private readonly SimulatedFileSystem _files = new();
    private readonly TestClock _clock = new();

    [Fact]
    public void Every_cut_of_an_unsynced_tail_leaves_whole_frames()
    {
        var directory = new SteppedDirectory(_files, _clock);
        DurableLog log = directory.Create(1);
        directory.Append(log, TestFrames.Build(1, 1, 1, RecordBytes));
        directory.RunCommits(); // The file and its name; what follows is not synced.
        for (ulong i = 2; i <= 6; i++)
        {
            directory.Append(log, TestFrames.Build(1, i, 1, RecordBytes));
        }

        long[] ends = [.. Enumerable.Range(1, 6).Select(i => SegmentHeader.Size + ((long)i * FrameBytes))];
        byte[] whole = Bytes(_files.FileAt(Segment0));
        int tail = (int)log.SegmentsForTest[0].CommittedPosition;
        long durableEnd = log.SegmentsForTest[0].DurablePosition;
        for (int cut = (int)durableEnd; cut <= tail; cut++)
        {
            SimulatedFileSystem image = Image(whole.AsSpan(0, cut), whole.Length, cut % 2 == 0);
            var next = new SteppedDirectory(image, _clock);
            DurableLog again = next.Open(1);
            int expected = 1 + ends.Count(e => e > durableEnd && e <= cut);
            Assert.Equal(expected, again.Committed);
            Assert.Empty(again.Damages);
            Assert.Equal(AppendStatus.Ok, next.Append(again, TestFrames.Build(1, (ulong)expected + 1, 1, 33)));
            next.RunCommits();
            Assert.Equal(expected + 1, LogDriver.ReadAll(again, 0).Count + (again.SegmentsForTest.Count > 2 ? 1 : 0));

            // The next start sees the same log, whatever was left behind the cut.
            Assert.Equal(expected + 1, new SteppedDirectory(image.Kill(), _clock).Open(1).Committed);
        }
    }

    [Fact]
    public void Every_cut_of_acknowledged_bytes_is_damage_and_no_offset_is_used_twice()
    {
        var directory = new SteppedDirectory(_files, _clock);
        DurableLog log = directory.Create(1);
        for (ulong i = 1; i <= 5; i++)
        {
            directory.Append(log, TestFrames.Build(1, i, 1, RecordBytes));
        }

        directory.RunCommits();
        directory.Tick(TimeSpan.FromSeconds(2)); // The idle log's durable end is stored.
        directory.RunCommits();
        byte[] whole = Bytes(_files.FileAt(Segment0));
        int tail = (int)log.SegmentsForTest[0].CommittedPosition;
        for (int cut = 0; cut < tail; cut += cut < 300 ? 1 : 3)
        {
            SimulatedFileSystem image = Image(whole.AsSpan(0, cut), whole.Length, cut % 2 == 0);
            var next = new SteppedDirectory(image, _clock);
            DurableLog again = next.Open(1);
            Assert.Equal(5, again.Committed);
            (long from, long to) = Assert.Single(again.Damages);
            Assert.Equal(5, to);
            Assert.Equal(cut < SegmentHeader.Size ? 0 : (cut - SegmentHeader.Size) / FrameBytes, from);
            Assert.Contains(next.Directory.Health.Damages, d => d == new DamagedRange(1, from, 5));
            next.RunCommits();
            LogPosition position = LogPosition.At(from);
            Assert.Equal(ReadStatus.Damaged, again.ReadCold(ref position, 1000, out _));
            Assert.Equal(5, again.EndOfDamage(from));
            Assert.Equal(AppendStatus.Ok, next.Append(again, TestFrames.Build(1, 6, 1, RecordBytes)));
            next.RunCommits();
            Assert.Equal(5, Assert.Single(LogDriver.ReadAll(again, 5)).Offset);

            var third = new SteppedDirectory(image.Kill(), _clock);
            DurableLog last = third.Open(1);
            Assert.Equal(6, last.Committed);
            Assert.Equal([(from, 5L)], last.Damages);
        }
    }

    [Fact]
    public void A_flipped_bit_in_front_of_acknowledged_frames_is_damage_of_that_frame_only()
    {
        var directory = new SteppedDirectory(_files, _clock);
        DurableLog log = directory.Create(1);
        for (ulong i = 1; i <= 6; i++)
        {
            directory.Append(log, TestFrames.Build(1, i, 1, RecordBytes));
            directory.RunCommits(); // Each frame names the one before as durable.
        }

        SimulatedFile file = _files.FileAt(Segment0);
        for (int bit = SegmentHeader.Size * 8; bit < (SegmentHeader.Size + (4 * FrameBytes)) * 8; bit += 13)
        {
            file.FlipBit(bit);
            var next = new SteppedDirectory(_files.Kill(), _clock);
            DurableLog again = next.Open(1);
            Assert.Equal(6, again.Committed);
            int hurt = ((bit / 8) - SegmentHeader.Size) / FrameBytes;
            Assert.Equal([(hurt, hurt + 1L)], again.Damages);
            next.RunCommits();
            Assert.Equal(5 - hurt, LogDriver.ReadAll(again, hurt + 1).Count);
            Assert.Equal(hurt, ReadUntilDamage(again));
            file.FlipBit(bit);
        }
    }

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
        for (ulong i = 1; i <= 60; i++)
        {
            directory.Append(log, TestFrames.Build(1, i, 1, 5000));
        }

        directory.RunCommits();
        directory.Directory.Dispose();
        _files.FileAt(Segment0).FlipBit((SegmentHeader.Size + (3 * 5136) + 1000) * 8); // Content of the fourth frame.
        var next = new SteppedDirectory(_files.Kill(), _clock);
        DurableLog again = next.Open(1);
        Assert.True(next.Directory.WasClosedCleanly);
        Assert.Equal(3, ReadUntilDamage(again));
        Assert.Equal([(3L, 4L)], again.Damages);
        Assert.Equal(56, LogDriver.ReadAll(again, 4).Count);
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

    [Fact]
    public void Damage_in_the_last_segment_after_a_clean_stop_is_found_by_its_reader()
    {
        var directory = new SteppedDirectory(_files, _clock);
        DurableLog log = directory.Create(1);
        for (ulong i = 1; i <= 6; i++)
        {
            directory.Append(log, TestFrames.Build(1, i, 1, RecordBytes));
        }

        directory.RunCommits();
        directory.Directory.Dispose();
        _files.FileAt(Segment0).FlipBit((SegmentHeader.Size + (3 * FrameBytes) + 140) * 8);
        var next = new SteppedDirectory(_files.Kill(), _clock);
        DurableLog again = next.Open(1);
        Assert.Equal(3, LogDriver.ReadUntilDamage(again)); // As a dispatcher reads, not cold from the start.
        Assert.Equal([(3L, 4L)], again.Damages);
        Assert.Equal(2, LogDriver.ReadAll(again, 4).Count);
    }

    [Fact]
    public void A_read_that_fails_is_an_error_of_the_disk_and_no_damage()
    {
        var directory = new SteppedDirectory(_files, _clock);
        DurableLog log = directory.Create(1);
        for (ulong i = 1; i <= 60; i++)
        {
            directory.Append(log, TestFrames.Build(1, i, 1, 5000));
        }

        directory.RunCommits();
        directory.Directory.Dispose();
        var next = new SteppedDirectory(_files, _clock);
        DurableLog again = next.Open(1);
        again.EnsureReady();
        int good = 0, reads = 0;
        _files.Before = (call, path) =>
        {
            if (call == FileCall.Read && path == Segment0 && reads++ >= good)
            {
                throw new IOException("injected");
            }
        };
        for (good = 0; good < 12; good++)
        {
            reads = 0;
            LogPosition position = LogPosition.At(9);
            ReadStatus status = again.ReadCold(ref position, 1000, out LogRun run);
            Assert.True(status is ReadStatus.Ok or ReadStatus.Failed, $"{status} after {good} good reads");
            if (status == ReadStatus.Ok)
            {
                run.Owner.Release();
            }
        }

        _files.Before = null;
        Assert.Empty(again.Damages);
        Assert.Equal(0, next.Directory.Counters.Damages);
        Assert.Equal(60, LogDriver.ReadAll(again, 0).Count);
    }

    [Fact]
    public async Task A_read_that_fails_in_a_time_lookup_is_no_answer()
    {
        var directory = new SteppedDirectory(_files, _clock);
        DurableLog log = directory.Create(1);
        for (ulong i = 1; i <= 60; i++)
        {
            _clock.Advance(TimeSpan.FromMilliseconds(10));
            directory.Append(log, TestFrames.Build(1, i, 1, 5000));
        }

        directory.RunCommits();
        long time = log.LastAppendTimeMicros - 555_000;
        directory.Directory.Dispose();
        var next = new SteppedDirectory(_files, _clock);
        DurableLog again = next.Open(1);
        again.EnsureReady();
        _files.Before = (call, path) =>
        {
            if (call == FileCall.Read && path == Segment0)
            {
                throw new IOException("injected");
            }
        };
        ValueTask<long> found = again.FindOffsetAsync(time);
        next.RunBackground();
        await Assert.ThrowsAsync<IOException>(async () => await found);
        _files.Before = null;
        found = again.FindOffsetAsync(time);
        next.RunBackground();
        Assert.Equal(4, await found);
    }

    [Fact]
    public void A_disk_that_cannot_be_read_stops_the_log_instead_of_shortening_it()
    {
        var directory = new SteppedDirectory(_files, _clock);
        DurableLog log = directory.Create(1);
        directory.Append(log, TestFrames.Build(1, 1, 1, RecordBytes));
        SimulatedFileSystem killed = _files.Kill();
        killed.Before = (call, path) =>
        {
            if (call == FileCall.Read && path == Segment0)
            {
                throw new IOException("injected");
            }
        };
        var next = new SteppedDirectory(killed, _clock);
        DurableLog again = next.Open(1);
        again.EnsureReady();
        Assert.NotNull(again.Failure);
        Assert.Equal(AppendStatus.Failed, next.Append(again, TestFrames.Build(1, 2, 1, RecordBytes)));
        killed.Before = null;
        next.RunCommits();
        Assert.Equal(1, new SteppedDirectory(killed.Kill(), _clock).Open(1).Committed);
    }

    private static long ReadUntilDamage(DurableLog log)
    {
        LogPosition position = LogPosition.At(0);
        while (true)
        {
            ReadStatus status = log.ReadCold(ref position, 100, out LogRun run);
            if (status == ReadStatus.Damaged)
            {
                return position.Offset;
            }

            Assert.Equal(ReadStatus.Ok, status);
            var header = new StreamHeader(run.Bytes.Span);
            position.Advance(header.FrameLength, header.EndOffset);
            run.Owner.Release();
        }
    }

    // The machine after a kill with the segment replaced: cut, or cut and zero up to its length.
    private SimulatedFileSystem Image(ReadOnlySpan<byte> kept, int length, bool zeros)
    {
        SimulatedFileSystem image = _files.Crash(new Random(1), 1);
        image.Unlink(Segment0);
        using WalFile file = zeros ? image.CreateAllocated(Segment0, length) : image.Create(Segment0);
        file.Write(kept, 0);
        return image;
    }

    private static byte[] Bytes(SimulatedFile file) => file.Cache.AsSpan(0, file.Length).ToArray();
}
