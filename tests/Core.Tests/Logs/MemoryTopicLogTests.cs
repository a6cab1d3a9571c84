using Danube.Fast.Protocol;

namespace Danube.Fast.Core.Tests;

public sealed class MemoryTopicLogTests
{
    [Fact]
    public void Every_offset_is_found_with_and_without_a_hint()
    {
        MemoryTopicLog log = Fill(300, 1000, 64 << 20);
        LogPosition walking = LogPosition.At(0);
        for (long offset = 0; offset < log.Committed; offset++)
        {
            LogPosition fresh = LogPosition.At(offset);
            Assert.Equal(ReadStatus.Ok, log.Read(ref fresh, 4096, out LogRun run));
            var header = new StreamHeader(run.Bytes.Span);
            Assert.True(header.Offset <= offset && offset < header.EndOffset);
            Assert.True(run.Bytes.Length >= header.FrameLength);
            run.Owner.Release();
            if (walking.Offset == offset)
            {
                Assert.Equal(ReadStatus.Ok, log.Read(ref walking, 4096, out run));
                header = new StreamHeader(run.Bytes.Span);
                Assert.Equal(offset, header.Offset);
                walking.Advance(header.FrameLength, header.EndOffset);
                run.Owner.Release();
            }
        }

        Assert.Equal(log.Committed, walking.Offset);
        Assert.Equal(ReadStatus.AtEnd, log.Read(ref walking, 4096, out _));
    }

    [Fact]
    public void Giving_up_the_front_is_exact_and_what_lies_behind_stays()
    {
        MemoryTopicLog log = Fill(300, 1000, 64 << 20);
        long size = log.SizeBytes, end = log.Committed, middle = (end / 2) + 1;
        Assert.Equal(size, log.BytesFrom(0));
        Assert.InRange(log.BytesFrom(middle), size * 4 / 10, size * 6 / 10);
        log.DeleteBelow(middle);
        log.DeleteBelow(3);
        Assert.Equal(middle, log.LogStart);
        Assert.True(log.SizeBytes < size);
        LogPosition below = LogPosition.At(middle - 1), at = LogPosition.At(middle);
        Assert.Equal(ReadStatus.BelowStart, log.Read(ref below, 4096, out _));
        Assert.Equal(ReadStatus.Ok, log.Read(ref at, 4096, out LogRun run));
        run.Owner.Release();
        log.DeleteBelow(long.MaxValue);
        Assert.Equal((end, end, 0), (log.LogStart, log.Committed, log.BytesFrom(0)));
    }

    [Fact]
    public void A_wrong_hint_does_no_harm()
    {
        MemoryTopicLog log = Fill(10, 100, 64 << 20);
        var position = new LogPosition { Offset = 2, SegmentBase = 0, Position = 0 };
        Assert.Equal(ReadStatus.Ok, log.Read(ref position, 4096, out LogRun run));
        long third = position.Position;
        run.Owner.Release();
        position = new LogPosition { Offset = 0, SegmentBase = 0, Position = third };
        Assert.Equal(ReadStatus.Ok, log.Read(ref position, 4096, out run));
        Assert.Equal(0, new StreamHeader(run.Bytes.Span).Offset);
        run.Owner.Release();
    }

    [Fact]
    public void The_ring_is_bounded_and_what_readers_hold_stays_as_it_was()
    {
        MemoryTopicLog log = Fill(1, 1000, 256 * 1024);
        LogPosition position = LogPosition.At(0);
        Assert.Equal(ReadStatus.Ok, log.Read(ref position, 4096, out LogRun held));
        byte[] before = held.Bytes.ToArray();
        Append(log, 5000, 1000);
        Assert.True(log.SizeBytes <= 256 * 1024);
        Assert.True(log.LogStart > 0);
        position = LogPosition.At(0);
        Assert.Equal(ReadStatus.BelowStart, log.Read(ref position, 4096, out _));
        Assert.True(before.AsSpan().SequenceEqual(held.Bytes.Span));
        held.Owner.Release();
    }

    [Fact]
    public void A_full_ring_allocates_nothing()
    {
        MemoryTopicLog log = Fill(8000, 1000, 4 << 20);
        byte[] frame = Frames.Build(1, 1, 1, 1000);
        long before = GC.GetAllocatedBytesForCurrentThread();
        AppendFrame(log, frame, 8000);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void A_frame_larger_than_a_chunk_gets_its_own()
    {
        MemoryTopicLog log = Fill(3, 3_000_000, 64 << 20);
        LogPosition position = LogPosition.At(2);
        Assert.Equal(ReadStatus.Ok, log.Read(ref position, 1000, out LogRun run));
        Assert.True(run.Bytes.Length > 3_000_000);
        run.Owner.Release();
    }

    [Fact]
    public async Task Times_are_found()
    {
        MemoryTopicLog log = Fill(500, 1000, 64 << 20);
        Assert.Equal(0, await log.FindOffsetAsync(0));
        Assert.Equal(137, await log.FindOffsetAsync(1137));
        Assert.Equal(500, await log.FindOffsetAsync(2000));
    }

    [Fact]
    public void Age_counts_when_a_chunk_is_added()
    {
        MemoryTopicLog log = Fill(200, 1000, 64 << 20);
        log.SetRetention(new LogRetention(1, 64 << 20));
        Append(log, 1000, 1000, 1_000_000);

        // The chunk that the first of the new frames shares with old ones is as young as its youngest.
        Assert.InRange(log.LogStart, 50, 200);
    }

    [Fact]
    public void A_closed_log_answers_failed()
    {
        MemoryTopicLog log = Fill(1, 100, 64 << 20);
        log.Dispose();
        LogPosition position = LogPosition.At(0);
        Assert.Equal(ReadStatus.Failed, log.Read(ref position, 100, out _));
        lock (log.AppendLock)
        {
            Assert.Equal(AppendStatus.Failed, log.Reserve(128, out _));
            Assert.Equal(AppendStatus.Failed, log.Append(default, 1, 1));
        }
    }

    [Fact]
    public void A_store_keeps_topics_and_cursors_apart()
    {
        var store = new MemoryLogStore();
        TopicLog a = store.Create(1, DurabilityClass.Memory, default);
        TopicLog b = store.Create(2, DurabilityClass.Os, default);
        Assert.Throws<ArgumentException>(() => store.Create(1, DurabilityClass.Memory, default));
        Assert.NotEqual(a.Generation, b.Generation);
        store.Cursors.Save(1, "s", [1]);
        store.Cursors.Save(2, "s", [2]);
        store.Delete(1);
        Assert.Null(store.Cursors.Load(1, "s"));
        Assert.Equal([2], store.Cursors.Load(2, "s")!);
        Assert.NotSame(b, store.Open(2, DurabilityClass.Os, default));
        store.Cursors.Remove(2, "s");
        Assert.Null(store.Cursors.Load(2, "s"));
    }

    private static MemoryTopicLog Fill(int frames, int payload, long maxBytes)
    {
        var log = new MemoryTopicLog(1, DurabilityClass.Memory, 1, new LogRetention(0, maxBytes));
        Append(log, frames, payload);
        return log;
    }

    private static void Append(MemoryTopicLog log, int frames, int payload, long time = 1000) =>
        AppendFrame(log, Frames.Build(1, 1, 1, payload), frames, time);

    private static void AppendFrame(MemoryTopicLog log, byte[] frame, int frames, long time = 1000)
    {
        lock (log.AppendLock)
        {
            for (int i = 0; i < frames; i++)
            {
                bool reserved = log.Reserve(frame.Length, out int room) == AppendStatus.Ok && room >= frame.Length;
                StreamHeaderWriter.Stamp(frame, log.NextOffset, time + log.NextOffset, 0, log.Generation, 0);
                Assert.True(reserved && log.Append(frame, log.NextOffset + 1, time + log.NextOffset) == AppendStatus.Ok);
            }
        }
    }
}
