using Danube.Fast.Core;
using Danube.Fast.Protocol;

namespace Danube.Fast.Wal.Tests;

/// <summary>Many threads against a checked model.</summary>
public sealed class StressTests : IDisposable
{
    private readonly TempDirectory _temp = new();

    public void Dispose() => _temp.Dispose();

    [Fact]
    public async Task Readers_see_every_frame_once_and_in_order_while_several_producers_append_and_segments_roll()
    {
        const int Producers = 3, Frames = 1500, Readers = 3;
        using DataDirectory directory = DataDirectory.Open(_temp.Root, new WalOptions { SegmentBytes = 512 * 1024, IdleAfterMs = 1 });
        TopicLog log = directory.Create(1, DurabilityClass.Fsync, default);
        Task[] producers = [.. Enumerable.Range(0, Producers).Select(p => Task.Run(async () =>
        {
            for (int i = 0; i < Frames; i++)
            {
                await LogDriver.AppendAsync(log, TestFrames.Build((ulong)p + 1, (ulong)(i * 2) + 1, 2, 300 + (i % 400)));
            }
        }))];
        Task<long>[] readers = [.. Enumerable.Range(0, Readers).Select(r => Task.Run(() => ReadToAsync(log, Producers * Frames * 2, 1000 << r)))];
        await Task.WhenAll(producers);
        Assert.All(await Task.WhenAll(readers), frames => Assert.Equal(Producers * Frames, frames));
        Assert.Equal(log.Committed, log.Durable);
    }

    [Fact]
    public async Task Many_logs_share_the_sync_threads_and_no_commit_is_forgotten()
    {
        const int Logs = 40, Frames = 60;
        using DataDirectory directory = DataDirectory.Open(_temp.Root, new WalOptions());
        TopicLog[] logs = [.. Enumerable.Range(1, Logs).Select(i => directory.Create((ulong)i, DurabilityClass.Fsync, default))];
        await Task.WhenAll(logs.Select(log => Task.Run(async () =>
        {
            for (int i = 0; i < Frames; i++)
            {
                await LogDriver.AppendAsync(log, TestFrames.Build(1, (ulong)i + 1, 1, 200));
                if (i % 20 == 0)
                {
                    await LogContractTests.WaitAsync(() => log.Durable == log.Committed);
                }
            }
        })));
        await LogContractTests.WaitAsync(() => logs.All(l => l.Durable == Frames));
    }

    [Fact]
    public async Task Committer_runs_every_request_after_it_was_made()
    {
        using var committer = new Committer(null, null, 2, startThreads: true);
        CountingWork[] works = [.. Enumerable.Range(0, 4).Select(_ => new CountingWork())];
        await Task.WhenAll(Enumerable.Range(0, 4).Select(t => Task.Run(() =>
        {
            for (int i = 0; i < 20_000; i++)
            {
                CountingWork work = works[(t + i) % works.Length];
                Interlocked.Increment(ref work.Produced);
                committer.Request(work);
            }
        })));
        await LogContractTests.WaitAsync(() => works.All(w => Volatile.Read(ref w.Seen) == w.Produced));
        Assert.All(works, w => Assert.False(w.Overlapped));
    }

    private static async Task<long> ReadToAsync(TopicLog log, long end, int maxBytes)
    {
        var lastSequence = new Dictionary<ulong, ulong>();
        LogPosition position = LogPosition.At(0);
        long frames = 0;
        for (int idle = 0; position.Offset < end;)
        {
            ReadStatus status = log.Read(ref position, maxBytes, out LogRun run);
            if (status == ReadStatus.Cold)
            {
                status = ((DurableLog)log).ReadCold(ref position, maxBytes, out run);
            }

            if (status == ReadStatus.AtEnd)
            {
                Assert.True(idle++ < 200_000, "Hang.");
                await Task.Delay(1);
                continue;
            }

            Assert.Equal(ReadStatus.Ok, status);
            idle = 0;
            frames += Check(run.Bytes.Span, ref position, lastSequence);
            run.Owner.Release();
        }

        return frames;
    }

    private static int Check(ReadOnlySpan<byte> bytes, ref LogPosition position, Dictionary<ulong, ulong> lastSequence)
    {
        int frames = 0, at = 0;
        long expected = position.Offset;
        while (bytes.Length - at >= ProtocolLimits.HeaderSize && new StreamHeader(bytes[at..]).FrameLength <= bytes.Length - at)
        {
            var header = new StreamHeader(bytes[at..]);
            Assert.True(header.HasValidHeaderCrc);
            Assert.True(FrameCheck.HasGoodContent(bytes.Slice(at, header.FrameLength)));
            Assert.Equal(expected, header.Offset);
            Assert.Equal(lastSequence.GetValueOrDefault(header.ProducerId) + 1, header.Sequence);
            lastSequence[header.ProducerId] = header.Sequence + header.RecordCount - 1;
            expected = header.EndOffset;
            at += header.FrameLength;
            frames++;
        }

        position.Advance(at, expected);
        return frames;
    }

    private sealed class CountingWork : CommitWork
    {
        public long Produced;
        public long Seen;
        private int _running;

        public bool Overlapped { get; private set; }

        public override void Commit()
        {
            Overlapped |= Interlocked.Exchange(ref _running, 1) != 0;
            Volatile.Write(ref Seen, Volatile.Read(ref Produced));
            Volatile.Write(ref _running, 0);
        }
    }
}
