using System.Diagnostics;
using Danube.Fast.Core;
using Danube.Fast.Protocol;

namespace Danube.Fast.Tests;

/// <summary>What the engine expects of every <see cref="TopicLog"/>, the durable one and the one in memory: run by the test projects of both.</summary>
public abstract class TopicLogContract
{
    private const ulong ProducerId = 9;

    /// <summary>A new log of topic 5 with room for some megabytes.</summary>
    protected abstract TopicLog Create();

    [Fact]
    public async Task Frames_come_back_as_written_dense_and_in_order()
    {
        const int Frames = 600;
        using TopicLog log = Create();
        byte[][] written = new byte[Frames][];
        for (int i = 0; i < Frames; i++)
        {
            written[i] = Frame((ulong)(1 + (2 * i)), 2, 700);
            Assert.Equal(2 * i, log.NextOffset);
            await AppendAsync(log, [.. written[i]]);
        }

        await UntilAsync(() => log.Visible == 2 * Frames);
        Assert.Equal((0, 2 * Frames, 2 * Frames), (log.LogStart, log.Committed, log.NextOffset));
        foreach (int limit in new[] { 1, 5_000, 1_000_000 })
        {
            List<byte[]> read = await ReadAsync(log, 0, limit);
            Assert.Equal(Frames, read.Count);
            for (int i = 0; i < Frames; i++)
            {
                var header = new StreamHeader(read[i]);
                Assert.Equal((2L * i, 2u, true), (header.Offset, header.RecordCount, header.HasValidHeaderCrc));
                Assert.True(written[i].AsSpan(ProtocolLimits.HeaderSize).SequenceEqual(read[i].AsSpan(ProtocolLimits.HeaderSize)));
            }
        }
    }

    [Fact]
    public async Task A_read_in_the_middle_of_a_frame_gives_the_whole_frame_and_one_at_the_end_says_so()
    {
        using TopicLog log = Create();
        for (int i = 0; i < 10; i++)
        {
            await AppendAsync(log, Frame((ulong)(1 + (5 * i)), 5, 100));
        }

        await UntilAsync(() => log.Visible == 50);
        for (long offset = 0; offset < 50; offset++)
        {
            (ReadStatus status, LogRun run) = await ReadOneAsync(log, LogPosition.At(offset), 1);
            Assert.Equal(ReadStatus.Ok, status);
            var header = new StreamHeader(run.Bytes.Span);
            Assert.Equal((offset / 5 * 5, header.FrameLength), (header.Offset, run.Bytes.Length));
            run.Owner.Release();
        }

        LogPosition end = LogPosition.At(50);
        Assert.Equal(ReadStatus.AtEnd, log.Read(ref end, 100, out _));
    }

    [Fact]
    public async Task A_frame_larger_than_anything_the_log_is_cut_into_is_kept()
    {
        using TopicLog log = Create();
        int[] lengths = [100, 3_000_000, 100];
        for (int i = 0; i < lengths.Length; i++)
        {
            await AppendAsync(log, Frame((ulong)(1 + i), 1, lengths[i]));
        }

        await UntilAsync(() => log.Visible == 3);
        Assert.Equal(lengths, (await ReadAsync(log, 0, 1000)).Select(f => (int)new StreamHeader(f).PayloadLength - ProtocolLimits.MinRecordSize));
    }

    [Fact]
    public async Task A_time_finds_the_first_offset_appended_at_or_after_it()
    {
        using TopicLog log = Create();
        for (int i = 0; i < 400; i++)
        {
            await AppendAsync(log, Frame((ulong)(1 + (3 * i)), 3, 400), 1_000_000 + (10 * i));
        }

        Assert.Equal(1_000_000 + 3_990, log.LastAppendTimeMicros);
        Assert.Equal((0, 1200), (await log.FindOffsetAsync(0), await log.FindOffsetAsync(2_000_000)));
        for (int i = 0; i < 400; i += 7)
        {
            Assert.Equal((3 * i, 3 * i), (await log.FindOffsetAsync(1_000_000 + (10 * i)), await log.FindOffsetAsync(1_000_000 + (10 * i) - 9)));
        }
    }

    [Fact]
    public async Task The_front_can_be_given_up_to_an_offset_and_what_a_reader_holds_stays()
    {
        using TopicLog log = Create();
        var observer = new Observer();
        log.Observer = observer;
        for (int i = 0; i < 300; i++)
        {
            await AppendAsync(log, Frame((ulong)(1 + (5 * i)), 5, 1000));
        }

        await UntilAsync(() => log.Visible == 1500);
        long size = log.BytesFrom(0);
        Assert.InRange(log.BytesFrom(752), size * 2 / 10, size * 9 / 10);
        (ReadStatus status, LogRun held) = await ReadOneAsync(log, LogPosition.At(10), 1);
        Assert.Equal(ReadStatus.Ok, status);
        byte[] before = held.Bytes.ToArray();
        log.DeleteBelow(752);
        log.DeleteBelow(3);
        await UntilAsync(() => log.LogStart == 752 && observer.LogStart > 0);
        Assert.True(before.AsSpan().SequenceEqual(held.Bytes.Span));
        held.Owner.Release();
        LogPosition below = LogPosition.At(751);
        Assert.Equal(ReadStatus.BelowStart, log.Read(ref below, 1000, out _));
        List<byte[]> rest = await ReadAsync(log, 752, 5000);
        Assert.Equal((750, 150), (new StreamHeader(rest[0]).Offset, rest.Count));

        // Everything goes; what comes then has the next offset all the same.
        log.DeleteBelow(long.MaxValue);
        await UntilAsync(() => log.LogStart == 1500);
        Assert.Equal((1500, 0), (log.Committed, log.BytesFrom(log.Committed)));
        await AppendAsync(log, Frame(1501, 1, 10));
        await UntilAsync(() => log.Visible == 1501);
        Assert.Equal(1500, new StreamHeader(Assert.Single(await ReadAsync(log, 1500, 100))).Offset);
    }

    [Fact]
    public async Task A_closed_log_takes_and_gives_nothing()
    {
        TopicLog log = Create();
        await AppendAsync(log, Frame(1, 1, 10));
        log.Dispose();
        LogPosition position = LogPosition.At(0);
        Assert.Equal(ReadStatus.Failed, log.Read(ref position, 100, out _));
        lock (log.AppendLock)
        {
            Assert.Equal(AppendStatus.Failed, log.Reserve(ProtocolLimits.HeaderSize, out _));
        }

        log.DeleteBelow(1);
        log.Dispose();
    }

    private static byte[] Frame(ulong sequence, int records, int payload)
    {
        using var writer = new BatchWriter(ProtocolLimits.DefaultMaxFrame);
        for (int i = 0; i < records; i++)
        {
            byte[] bytes = new byte[payload];
            new Random((int)sequence + i).NextBytes(bytes);
            Assert.True(writer.TryAppend(bytes));
        }

        return writer.Seal(new PublishFields { ProducerId = ProducerId, Sequence = sequence, PublishTimeMicros = 1 }, 1, Codec.None).ToArray();
    }

    private static async Task AppendAsync(TopicLog log, byte[] frame, long nowMicros = 1)
    {
        while (TryAppend(log, frame, nowMicros) is var status && status != AppendStatus.Ok)
        {
            Assert.Equal(AppendStatus.NotReady, status);
            await log.WaitForRoomAsync();
        }

        log.RequestCommit();
    }

    private static AppendStatus TryAppend(TopicLog log, byte[] frame, long nowMicros)
    {
        lock (log.AppendLock)
        {
            AppendStatus status = log.Reserve(frame.Length, out int room);
            if (status != AppendStatus.Ok)
            {
                return status;
            }

            Assert.True(room >= frame.Length);
            long offset = log.NextOffset, time = Math.Max(nowMicros, log.LastAppendTimeMicros);
            StreamHeaderWriter.Stamp(frame, offset, time, log.TopicEpoch, log.Generation, 0);
            var header = new StreamHeader(frame);
            status = log.Append(frame, header.EndOffset, time);
            log.Producers.Record(header.ProducerId, header.Sequence, header.RecordCount, offset, time, header.Generation);
            return status;
        }
    }

    private static async Task<List<byte[]>> ReadAsync(TopicLog log, long from, int maxBytes)
    {
        var frames = new List<byte[]>();
        LogPosition position = LogPosition.At(from);
        while (position.Offset < log.Visible)
        {
            (ReadStatus status, LogRun run) = await ReadOneAsync(log, position, maxBytes);
            Assert.Equal(ReadStatus.Ok, status);
            var reader = new RunReader(run.Bytes.Span);
            while (reader.TryRead(out StoredFrame frame))
            {
                frames.Add(frame.Bytes.ToArray());
                position = LogPosition.At(frame.Header.EndOffset);
            }

            run.Owner.Release();
        }

        return frames;
    }

    private static async Task<(ReadStatus Status, LogRun Run)> ReadOneAsync(TopicLog log, LogPosition position, int maxBytes)
    {
        ReadStatus status = log.Read(ref position, maxBytes, out LogRun run);
        if (status != ReadStatus.Cold)
        {
            return (status, run);
        }

        var sink = new ColdSink();
        log.BeginColdRead(position, maxBytes, sink);
        return await sink.Result.Task.WaitAsync(TimeSpan.FromSeconds(90));
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        long start = Stopwatch.GetTimestamp();
        while (!condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(90), "hangs");
            await Task.Delay(1);
        }
    }

    private sealed class ColdSink : IColdReadSink
    {
        public TaskCompletionSource<(ReadStatus Status, LogRun Run)> Result { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void OnColdRead(ReadStatus status, LogRun run, LogPosition position) => Result.SetResult((status, run));
    }

    private sealed class Observer : ILogObserver
    {
        private int _logStart;

        public int LogStart => Volatile.Read(ref _logStart);

        public void OnDurable(TopicLog log)
        {
            // A log in memory has no such moment.
        }

        void ILogObserver.OnLogStart(TopicLog log) => Interlocked.Increment(ref _logStart);

        public void OnFailed(TopicLog log, Exception cause)
        {
            // The test sees what it does not get.
        }
    }
}
