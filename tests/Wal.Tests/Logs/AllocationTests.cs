using Danube.Fast.Core;
using Danube.Fast.Protocol;

namespace Danube.Fast.Wal.Tests;

/// <summary>Tests that count what the whole process does.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;

/// <summary>Promise 6: appending, reading and committing allocate nothing in steady state.</summary>
[Collection(nameof(Alone))]
public sealed class AllocationTests : IDisposable
{
    private const int Batches = 60_000;

    private readonly TempDirectory _temp = new();

    public void Dispose() => _temp.Dispose();

    [Theory]
    [InlineData(AppendMode.Pwrite)]
    [InlineData(AppendMode.Mapped)]
    public void Append_commit_and_read_allocate_nothing(AppendMode mode)
    {
        // Without threads of its own, so that every byte is counted on this thread.
        var options = new WalOptions { AppendMode = mode, StartThreads = false, FirstSegmentBytes = 64 * 1024 * 1024 };
        using DataDirectory directory = DataDirectory.Open(_temp.Root, options);
        TopicLog log = directory.Create(1, DurabilityClass.Fsync, default);
        var observer = new CountingObserver();
        log.Observer = observer;
        byte[] frame = TestFrames.Build(1, 1, 4, 500);
        while (LogDriver.TryAppend(log, frame, 1) == AppendStatus.NotReady)
        {
            while (directory.Allocator.RunOne() || directory.Readers.RunOne())
            {
            }
        }

        LogPosition position = LogPosition.At(0);
        Round(directory, log, frame, ref position, 300);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Round(directory, log, frame, ref position, 3000);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        // The sparse index: 24 bytes for each 64 KiB of log, in arrays that double.
        Assert.True(allocated <= 3 * 24 * (3300L * frame.Length / SparseIndex.Step), $"{allocated} bytes for 3000 rounds.");
        Assert.Equal(log.Committed, log.Durable);
        Assert.True(observer.Calls >= 3300);
    }

    [Fact]
    public void A_log_at_rest_gives_back_what_many_appends_on_the_way_had_needed()
    {
        const int Appends = 4000, LeastBytes = 4096 * 16;
        var clock = new TestClock();
        using DataDirectory directory = DataDirectory.Open(_temp.Root, new WalOptions { StartThreads = false, FirstSegmentBytes = 64 * 1024 * 1024, Time = clock });
        TopicLog log = directory.Create(1, DurabilityClass.Fsync, default);
        byte[] frame = TestFrames.Build(1, 1, 1, 100);
        while (LogDriver.TryAppend(log, frame, 1) == AppendStatus.NotReady)
        {
            while (directory.Allocator.RunOne() || directory.Readers.RunOne())
            {
            }
        }

        _ = Burst();
        long kept = Burst();
        for (int i = 0; i < 30; i++)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            directory.Tick(directory.NowMs);
        }

        long again = Burst();
        Assert.True(kept < LeastBytes && again >= LeastBytes, $"{kept} bytes, and {again} after the rest.");

        long Burst()
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < Appends; i++)
            {
                _ = LogDriver.TryAppend(log, frame, 1);
            }

            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            while (directory.Committer.RunOne())
            {
            }

            Assert.Equal(log.Committed, log.Durable);
            return allocated;
        }
    }

    [Fact]
    public async Task The_running_directory_allocates_next_to_nothing_per_batch()
    {
        using DataDirectory directory = DataDirectory.Open(_temp.Root, new WalOptions { FirstSegmentBytes = 64 * 1024 * 1024 });
        TopicLog log = directory.Create(1, DurabilityClass.Fsync, default);
        byte[] frame = TestFrames.Build(1, 1, 4, 100);
        await LogDriver.AppendAsync(log, frame);
        await AppendManyAsync(log, frame, 5000);
        long before = GC.GetTotalAllocatedBytes(precise: true);
        await AppendManyAsync(log, frame, Batches);

        // So many batches that what grows once (the marks of appends that wait for a slow commit, at most 0.5 MB) counts for little.
        long perBatch = (GC.GetTotalAllocatedBytes(precise: true) - before) / Batches;
        Assert.True(perBatch < 16, $"{perBatch} bytes per batch over all threads."); // The test runner is in the figure.
    }

    [Fact]
    public void Idle_logs_take_little_heap()
    {
        const int Topics = 2000;
        var directory = new SteppedDirectory(new SimulatedFileSystem(), new TestClock());
        for (ulong i = 1; i <= Topics; i++)
        {
            directory.Files.CreateDirectory($"/data/topics/{i}");
        }

        long before = GC.GetTotalMemory(forceFullCollection: true);
        DurableLog[] logs = [.. Enumerable.Range(1, Topics).Select(i => directory.Open((ulong)i))];
        directory.RunBackground();
        long perLog = (GC.GetTotalMemory(forceFullCollection: true) - before) / Topics;
        Assert.True(perLog < 2048, $"{perLog} bytes per idle log.");
        GC.KeepAlive(logs);
    }

    private static async Task AppendManyAsync(TopicLog log, byte[] frame, int count)
    {
        for (int i = 0; i < count; i++)
        {
            if (LogDriver.TryAppend(log, frame, 1) != AppendStatus.Ok)
            {
                throw new InvalidOperationException("Not in steady state."); // Assert.Equal allocates.
            }
        }

        await LogContractTests.WaitAsync(() => log.Durable == log.Committed);
    }

    private static void Round(DataDirectory directory, TopicLog log, byte[] frame, ref LogPosition position, int count)
    {
        for (int i = 0; i < count; i++)
        {
            if (LogDriver.TryAppend(log, frame, 1) != AppendStatus.Ok || !directory.Committer.RunOne() || log.Read(ref position, 256 * 1024, out LogRun run) != ReadStatus.Ok)
            {
                throw new InvalidOperationException("Not in steady state.");
            }

            while (directory.Committer.RunOne())
            {
                // What the sync threads would do meanwhile: write-behind, checkpoints.
            }

            ReadOnlySpan<byte> bytes = run.Bytes.Span;
            int at = 0;
            long next = 0;
            while (at < bytes.Length)
            {
                var header = new StreamHeader(bytes[at..]);
                at += header.FrameLength;
                next = header.EndOffset;
            }

            position.Advance(at, next);
            run.Owner.Release();
        }
    }

    private sealed class CountingObserver : ILogObserver
    {
        public int Calls { get; private set; }

        public void OnDurable(TopicLog log) => Calls++;

        public void OnLogStart(TopicLog log) => Calls++;

        public void OnFailed(TopicLog log, Exception cause) => Calls = -1;
    }
}
