using Danube.Fast.Core;

namespace Danube.Fast.Wal.Tests;

/// <summary>Who reads what: the map, the cold readers, and what long work may take from them.</summary>
public sealed class ColdReaderTests
{
    private const int FrameRecords = 4, RecordBytes = 1000;

    [Fact]
    public void A_reader_behind_the_tail_gets_no_pages_that_left_memory()
    {
        var world = new SteppedDirectory(new SimulatedFileSystem(), new TestClock());
        DurableLog log = Filled(world, segments: 3);
        Segment previous = log.SegmentsForTest[^2];
        LogPosition position = LogPosition.At(previous.BaseOffset);
        Assert.Equal(ReadStatus.Ok, log.Read(ref position, 4096, out LogRun run));
        run.Owner.Release();

        world.Files.HasPagesInMemory = false;
        Assert.Equal(ReadStatus.Cold, log.Read(ref position, 4096, out _));
        Assert.Equal(ReadStatus.Ok, log.ReadCold(ref position, 4096, out run));
        run.Owner.Release();

        // What was written a moment ago is read from the map in any case: asking for each small read would cost more than it could save.
        LogPosition last = LogPosition.At(log.SegmentsForTest[^1].BaseOffset);
        Assert.Equal(ReadStatus.Ok, log.Read(ref last, 4096, out run));
        run.Owner.Release();
        world.Directory.Dispose();
    }

    [Fact]
    public void A_segment_that_nobody_reads_is_not_mapped()
    {
        var world = new SteppedDirectory(new SimulatedFileSystem(), new TestClock());
        DurableLog log = Filled(world, segments: 3);
        Assert.All(log.SegmentsForTest, s => Assert.Null(s.Map));

        LogPosition position = LogPosition.At(log.SegmentsForTest[^1].BaseOffset);
        Assert.Equal(ReadStatus.Ok, log.Read(ref position, 4096, out LogRun run));
        run.Owner.Release();
        Assert.NotNull(log.SegmentsForTest[^1].Map);
        Assert.Null(log.SegmentsForTest[^2].Map);
        world.Directory.Dispose();
    }

    [Fact]
    public void A_segment_whose_handle_is_being_closed_is_read_cold()
    {
        // The one map that there may be is still free afterwards.
        var world = new SteppedDirectory(new SimulatedFileSystem(), new TestClock(), o => o with { MaxMaps = 1 });
        DurableLog log = Filled(world, segments: 1);
        Segment segment = log.SegmentsForTest[^1];
        segment.File!.Dispose(); // By the janitor, who has not taken it out of the segment yet.
        LogPosition position = LogPosition.At(segment.BaseOffset);
        Assert.Equal(ReadStatus.Cold, log.Read(ref position, 4096, out _));
        Assert.Equal(ReadStatus.Ok, log.ReadCold(ref position, 4096, out LogRun run));
        run.Owner.Release();
        Assert.Null(log.Failure);

        segment.File = null;
        Assert.Equal(ReadStatus.Ok, log.Read(ref position, 4096, out run));
        run.Owner.Release();
        Assert.NotNull(segment.Map);
        world.Directory.Dispose();
    }

    [Fact]
    public void Reading_on_into_the_next_segment_builds_no_index()
    {
        SteppedDirectory world = Reopened(out DurableLog log);
        for (int i = 0; i < log.SegmentsForTest.Count; i++)
        {
            LogPosition position = LogPosition.At(log.SegmentsForTest[i].BaseOffset);
            Assert.False(log.IsLongRead(position));
            Assert.Equal(ReadStatus.Ok, log.ReadCold(ref position, 4096, out LogRun run));
            run.Owner.Release();
            Assert.Null(log.SegmentsForTest[i].Index);
        }

        world.Directory.Dispose();
    }

    [Fact]
    public void A_read_that_needs_an_index_first_is_answered_too()
    {
        SteppedDirectory world = Reopened(out DurableLog log);
        var sink = new ColdSink();
        LogPosition position = LogPosition.At(log.SegmentsForTest[0].BaseOffset + (3 * FrameRecords) + 1);
        Assert.True(log.IsLongRead(position));
        log.BeginColdRead(position, 4096, sink);
        world.RunBackground();
        Assert.Equal([ReadStatus.Ok], sink.Answers);
        Assert.False(log.IsLongRead(position));
        world.Directory.Dispose();
    }

    [Theory]
    [InlineData(typeof(IOException))]
    [InlineData(typeof(ObjectDisposedException))]
    public void A_read_that_fails_is_answered_and_gives_its_memory_back(Type kind)
    {
        SteppedDirectory world = Reopened(out DurableLog log);
        ColdBufferPool pool = world.Directory.ColdBuffers;
        ColdBuffer kept = pool.Rent(4096);
        kept.Release();
        world.Files.Before = (call, path) =>
        {
            if (call == FileCall.Read && path.EndsWith(".log", StringComparison.Ordinal))
            {
                throw (Exception)Activator.CreateInstance(kind, "injected")!;
            }
        };
        var sink = new ColdSink();
        LogPosition position = LogPosition.At(log.SegmentsForTest[0].BaseOffset);
        position.SegmentBase = position.Offset;
        position.Position = SegmentHeader.Size;
        log.BeginColdRead(position, 4096, sink);
        world.RunBackground();
        world.Files.Before = null;
        Assert.Equal([ReadStatus.Failed], sink.Answers);
        Assert.Empty(log.Damages);
        ColdBuffer next = pool.Rent(4096);
        Assert.Same(kept, next);
        next.Release();
        world.Directory.Dispose();
    }

    [Fact]
    public async Task Long_work_leaves_a_thread_for_short_reads()
    {
        using var gate = new ManualResetEventSlim();
        using var queue = new BackgroundQueue("test-reader", 3, startThreads: true, maxLong: 2);
        var begun = new CountdownEvent(2);
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var last = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            for (int i = 0; i < 2; i++)
            {
                queue.EnqueueLong(new Work(() =>
                {
                    begun.Signal();
                    gate.Wait(TimeSpan.FromSeconds(120));
                }));
            }

            queue.EnqueueLong(new Work(last.SetResult));
            Assert.True(begun.Wait(TimeSpan.FromSeconds(60)));
            queue.Enqueue(new Work(done.SetResult));
            await done.Task.WaitAsync(TimeSpan.FromSeconds(60));
            Assert.False(last.Task.IsCompleted);
        }
        finally
        {
            gate.Set();
        }

        await last.Task.WaitAsync(TimeSpan.FromSeconds(60));
    }

    [Theory]
    [InlineData(5, 0.05, 0, 0.95)] // From memory: twenty times as long as it took, still 260 MB/s.
    [InlineData(5, 0.5, 0, 9.5)]
    [InlineData(20, 0.5, 0, 2)]
    [InlineData(100, 0.5, 0, 0)]
    [InlineData(5, 4, 0, 11.625)] // A slow disk: 16 MiB/s is always granted.
    [InlineData(5, 20, 0, 0)]
    [InlineData(5, 0.5, 100 * 1024 * 1024, 0.75)] // The log grows by 100 MiB/s: 200 MiB/s, so that its reader catches up.
    public void Cold_reads_rest_while_logs_are_synced(int percent, double tookMs, long behindPerSecond, double restMs)
    {
        TimeSpan rest = ColdReadPacer.RestAfter(TimeSpan.FromMilliseconds(tookMs), 256 * 1024, percent, behindPerSecond);
        Assert.Equal(restMs, rest.TotalMilliseconds, 3);
    }

    [Theory]
    [InlineData(600, 1, 600)] // Half of the time: each rest is too short to be taken, two are not.
    [InlineData(10, 2, 190)]
    [InlineData(10, 50, 1)]
    public void Rests_that_are_saved_up_are_all_due_in_the_end(long took, int reads, long rest)
    {
        long next = 0, now = 0;
        for (int i = 0; i <= reads; i++)
        {
            now += took; // The next one begins at once.
            next = ColdReadPacer.NextStart(next, now, took, rest);
        }

        Assert.Equal((reads + 1) * rest, next - now);
    }

    [Fact]
    public void A_read_that_owes_no_rest_leaves_what_others_owe()
    {
        Assert.Equal(500, ColdReadPacer.NextStart(500, 400, 100, 0));
        Assert.Equal(400, ColdReadPacer.NextStart(200, 400, 100, 0));
        Assert.Equal(450, ColdReadPacer.NextStart(200, 400, 100, 50)); // It began when it was allowed to.
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)] // Of an os topic: nobody syncs, and yet a reader at its tail wants the processor.
    [InlineData(false, false)]
    public void Cold_reads_rest_only_while_something_is_published(bool syncs, bool appends)
    {
        var counters = new WalCounters();
        var pacer = new ColdReadPacer(counters, percent: 20);
        TimeSpan took = TimeSpan.FromMilliseconds(0.5);
        pacer.Note(took, 256 * 1024);
        counters.SyncCount += syncs ? 1 : 0;
        counters.AppendedByteCount += appends ? 1 : 0;
        Assert.Equal(syncs || appends ? 4 * took : TimeSpan.Zero, pacer.Note(took, 256 * 1024));
    }

    [Fact]
    public void Only_what_is_appended_to_logs_that_are_read_cold_makes_their_readers_fall_behind()
    {
        var world = new SteppedDirectory(new SimulatedFileSystem(), new TestClock());
        DurableLog read = Filled(world, segments: 3);
        DurableLog other = world.Create(2);
        Assert.Equal(AppendStatus.Ok, world.Append(other, TestFrames.Build(1, 1, 1, 100)));
        WalCounters counters = world.Directory.Counters;
        LogPosition position = LogPosition.At(0);
        read.BeginColdRead(position, 4096, new ColdSink());
        read.BeginColdRead(position, 4096, new ColdSink());
        Assert.Equal(AppendStatus.Ok, LogDriver.TryAppend(other, TestFrames.Build(1, 2, 1, 100), 1));
        Assert.Equal(0, counters.AppendedBehindByteCount);
        byte[] frame = TestFrames.Build(2, 1, 1, 100);
        Assert.Equal(AppendStatus.Ok, LogDriver.TryAppend(read, frame, 1));
        Assert.Equal(2 * frame.Length, counters.AppendedBehindByteCount);
        world.RunBackground();
        Assert.Equal(AppendStatus.Ok, LogDriver.TryAppend(read, TestFrames.Build(2, 2, 1, 100), 1));
        Assert.Equal(2 * frame.Length, counters.AppendedBehindByteCount);
        world.Directory.Dispose();
    }

    [Fact]
    public async Task What_a_thread_of_the_queue_queues_itself_wakes_no_other()
    {
        const int Links = 50;
        using var queue = new BackgroundQueue("test-reader", 3, startThreads: true);
        using var ran = new ManualResetEventSlim();
        var threads = new List<int>();
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        queue.Enqueue(new Work(() =>
        {
            queue.Enqueue(new Work(ran.Set));
            threads.Add(ran.Wait(TimeSpan.FromMilliseconds(100)) ? -1 : Environment.CurrentManagedThreadId); // Nobody else may have run it meanwhile.
            queue.Enqueue(new Work(() => Next(Links)));
        }));
        await done.Task.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Single(threads.Distinct());
        Assert.NotEqual(-1, threads[0]);

        void Next(int left)
        {
            threads.Add(Environment.CurrentManagedThreadId);
            if (left == 0)
            {
                done.SetResult();
                return;
            }

            queue.Enqueue(new Work(() => Next(left - 1)));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Long_work_that_a_thread_of_the_queue_queues_does_not_wait_for_it(bool later)
    {
        using var queue = new BackgroundQueue("test-reader", 3, startThreads: true, maxLong: 2);
        using var ran = new ManualResetEventSlim();
        var done = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        queue.Enqueue(new Work(() =>
        {
            var work = new Work(ran.Set);
            if (later)
            {
                queue.EnqueueLater(work);
            }
            else
            {
                queue.EnqueueLong(work);
            }

            done.SetResult(ran.Wait(TimeSpan.FromSeconds(60))); // As long as this thread has other work.
        }));
        Assert.True(await done.Task.WaitAsync(TimeSpan.FromSeconds(120)));
    }

    [Fact]
    public void A_cold_read_makes_the_disk_read_no_more_than_it_asks_for()
    {
        SteppedDirectory world = Reopened(out DurableLog log);
        string path = log.SegmentsForTest[0].Path;
        var calls = new List<FileCall>();
        world.Files.Before = (call, of) =>
        {
            if (of == path)
            {
                calls.Add(call);
            }
        };
        LogPosition position = LogPosition.At(log.SegmentsForTest[0].BaseOffset);
        Assert.Equal(ReadStatus.Ok, log.ReadCold(ref position, 4096, out LogRun run));
        run.Owner.Release();
        Assert.Equal([FileCall.Open, FileCall.StopReadAhead, FileCall.Read], calls.Take(3));
        world.Directory.Dispose();
    }

    // A closed and opened directory: nothing is mapped or indexed.
    private static SteppedDirectory Reopened(out DurableLog log)
    {
        var files = new SimulatedFileSystem();
        var clock = new TestClock();
        var first = new SteppedDirectory(files, clock);
        Filled(first, segments: 3);
        first.Directory.Dispose();
        var world = new SteppedDirectory(files, clock);
        log = world.Open(1);
        log.EnsureReady();
        return world;
    }

    private static DurableLog Filled(SteppedDirectory world, int segments)
    {
        DurableLog log = world.Create(1);
        for (ulong i = 1; log.SegmentsForTest.Count < segments || log.SegmentsForTest[^1].CommittedPosition < 16 * 1024; i++)
        {
            Assert.Equal(AppendStatus.Ok, world.Append(log, TestFrames.Build(1, ((i - 1) * FrameRecords) + 1, FrameRecords, RecordBytes)));
        }

        world.RunCommits();
        return log;
    }

    private sealed class Work(Action run) : IBackgroundWork
    {
        public void Run() => run();
    }
}
