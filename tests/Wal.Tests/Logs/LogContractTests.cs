using System.Diagnostics;
using Danube.Fast.Core;
using Danube.Fast.Protocol;

namespace Danube.Fast.Wal.Tests;

/// <summary>The contract of <see cref="TopicLog"/> on real files, with all threads running.</summary>
public sealed class LogContractTests : IDisposable
{
    private readonly TempDirectory _temp = new();

    public static TheoryData<AppendMode, DurabilityClass> Kinds => new()
    {
        { AppendMode.Pwrite, DurabilityClass.Fsync },
        { AppendMode.Mapped, DurabilityClass.Fsync },
        { AppendMode.Pwrite, DurabilityClass.Os },
    };

    public void Dispose() => _temp.Dispose();

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Frames_come_back_as_written_across_segments_and_restarts(AppendMode mode, DurabilityClass durability)
    {
        const int Frames = 600;
        ulong sequence = 1;
        for (int round = 0; round < 3; round++)
        {
            using DataDirectory directory = Open(mode);
            TopicLog log = round == 0 ? directory.Create(5, durability, default) : directory.Open(5, durability, default);
            Assert.Equal(round * Frames * 2, log.Committed);
            Assert.Equal((ulong)(round * Frames * 2), log.Producers.LastSequence(9));
            for (int i = 0; i < Frames; i++, sequence += 2)
            {
                await LogDriver.AppendAsync(log, TestFrames.Build(9, sequence, 2, 700));
            }

            await WaitAsync(() => log.Visible == log.NextOffset);
            Check(log, (round + 1) * Frames, cold: false);
            Check(log, (round + 1) * Frames, cold: true);
            Assert.True(((DurableLog)log).SegmentsForTest.Count > 3);
        }
    }

    [Fact]
    public async Task Reads_in_the_middle_of_a_frame_and_with_small_limits_give_the_whole_frame()
    {
        using DataDirectory directory = Open(AppendMode.Pwrite);
        TopicLog log = directory.Create(1, DurabilityClass.Fsync, default);
        for (ulong i = 0; i < 10; i++)
        {
            await LogDriver.AppendAsync(log, TestFrames.Build(1, 1 + (i * 5), 5, 100));
        }

        await WaitAsync(() => log.Durable == 50);
        for (long offset = 0; offset < 50; offset++)
        {
            LogPosition position = LogPosition.At(offset);
            Assert.Equal(ReadStatus.Ok, log.Read(ref position, 1, out LogRun run));
            var header = new StreamHeader(run.Bytes.Span);
            Assert.Equal(offset / 5 * 5, header.Offset);
            Assert.Equal(header.FrameLength, run.Bytes.Length);
            run.Owner.Release();
        }

        LogPosition end = LogPosition.At(50);
        Assert.Equal(ReadStatus.AtEnd, log.Read(ref end, 100, out _));
    }

    [Fact]
    public async Task A_frame_larger_than_a_segment_gets_a_segment_of_its_size()
    {
        using DataDirectory directory = Open(AppendMode.Pwrite);
        TopicLog log = directory.Create(1, DurabilityClass.Fsync, default);
        await LogDriver.AppendAsync(log, TestFrames.Build(1, 1, 1, 100));
        await LogDriver.AppendAsync(log, TestFrames.Build(1, 2, 1, 3_000_000));
        await LogDriver.AppendAsync(log, TestFrames.Build(1, 3, 1, 100));
        await WaitAsync(() => log.Durable == 3);
        Assert.Equal(3, LogDriver.ReadAll(log, 0).Count);
        Assert.Equal(3, LogDriver.ReadAll(log, 0, maxBytes: 1000, cold: true).Count);
    }

    [Fact]
    public void A_second_process_is_refused_by_name()
    {
        using DataDirectory directory = Open(AppendMode.Pwrite);
        var refused = Assert.Throws<DataDirectoryLockedException>(() => Open(AppendMode.Pwrite));
        Assert.Contains(Environment.ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture), refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_time_finds_the_first_offset_appended_at_or_after_it()
    {
        using DataDirectory directory = Open(AppendMode.Pwrite);
        TopicLog log = directory.Create(1, DurabilityClass.Fsync, default);
        for (int i = 0; i < 400; i++)
        {
            await LogDriver.AppendAsync(log, TestFrames.Build(1, (ulong)(1 + (i * 3)), 3, 400), nowMicros: 1_000_000 + (i * 10));
        }

        Assert.Equal(0, await log.FindOffsetAsync(0));
        Assert.Equal(1200, await log.FindOffsetAsync(2_000_000));
        for (int i = 0; i < 400; i += 7)
        {
            Assert.Equal(i * 3, await log.FindOffsetAsync(1_000_000 + (i * 10)));
            Assert.Equal(i * 3, await log.FindOffsetAsync(1_000_000 + (i * 10) - 9));
        }
    }

    [Fact]
    public async Task Generations_rise_with_every_open_and_every_segment()
    {
        var seen = new List<uint>();
        for (int round = 0; round < 3; round++)
        {
            using DataDirectory directory = Open(AppendMode.Pwrite);
            TopicLog log = round == 0 ? directory.Create(1, DurabilityClass.Fsync, default) : directory.Open(1, DurabilityClass.Fsync, default);
            for (int i = 0; i < 100; i++)
            {
                await LogDriver.AppendAsync(log, TestFrames.Build(1, (ulong)(1 + (round * 100) + i), 1, 1500));
                if (seen.Count == 0 || seen[^1] != log.Generation)
                {
                    seen.Add(log.Generation);
                }
            }
        }

        Assert.Equal(seen.Distinct().Order(), seen);
        Assert.True(seen.Count >= 5);
    }

    [Fact]
    public async Task Deleted_topics_are_gone_and_their_files_too()
    {
        using (DataDirectory directory = Open(AppendMode.Pwrite))
        {
            TopicLog log = directory.Create(1, DurabilityClass.Fsync, default);
            await LogDriver.AppendAsync(log, TestFrames.Build(1, 1, 1, 100));
            await directory.Cursors.SaveDurableAsync(1, "sub", new byte[] { 1, 2 });
            directory.Delete(1);
            Assert.Null(directory.Cursors.Load(1, "sub"));
            Assert.Equal(AppendStatus.Failed, LogDriver.TryAppend(log, TestFrames.Build(1, 2, 1, 100), 1));
        }

        using (Open(AppendMode.Pwrite))
        {
            await WaitAsync(() => Directory.GetFileSystemEntries(Path.Combine(_temp.Root, "topics")).Length == 0);
        }
    }

    internal static async Task WaitAsync(Func<bool> condition)
    {
        long start = Stopwatch.GetTimestamp();
        while (!condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(120), "Hang.");
            await Task.Delay(1);
        }
    }

    private static void Check(TopicLog log, int frames, bool cold)
    {
        List<(long Offset, byte[] Frame)> read = LogDriver.ReadAll(log, 0, cold: cold);
        Assert.Equal(frames, read.Count);
        for (int i = 0; i < frames; i++)
        {
            byte[] expected = TestFrames.Build(9, (ulong)(1 + (i * 2)), 2, 700);
            Assert.Equal(i * 2, read[i].Offset);
            Assert.True(expected.AsSpan(128).SequenceEqual(read[i].Frame.AsSpan(128)));
            Assert.True(new StreamHeader(read[i].Frame).HasValidHeaderCrc);
        }
    }

    private DataDirectory Open(AppendMode mode) =>
        DataDirectory.Open(_temp.Root, new WalOptions { AppendMode = mode, SegmentBytes = 512 * 1024, SnapshotIntervalBytes = 128 * 1024 });
}
