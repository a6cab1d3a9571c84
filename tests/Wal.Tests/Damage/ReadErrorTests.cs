using Danube.Fast.Core;

namespace Danube.Fast.Wal.Tests;

/// <summary>A disk that cannot be read: an error, never damage, never a shorter log.</summary>
public sealed class ReadErrorTests
{
    private const int RecordBytes = 19;
    private const string Segment0 = "/data/topics/1/00000000000000000000.log";
    private readonly SimulatedFileSystem _files = new();
    private readonly TestClock _clock = new();

    [Fact]
    public void A_read_that_fails_is_an_error_of_the_disk_and_no_damage()
    {
        var directory = new SteppedDirectory(_files, _clock);
        DurableLog log = directory.Create(1);
        directory.Fill(log, 60, 5000);

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

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_log_that_cannot_be_opened_is_not_damaged(bool isClean)
    {
        var directory = new SteppedDirectory(_files, _clock);
        directory.Fill(directory.Create(1), 20, RecordBytes);
        directory.RunCommits();
        directory.Tick(TimeSpan.FromSeconds(1)); // The durable end is noted.
        directory.RunCommits();
        if (isClean)
        {
            directory.Directory.Dispose();
        }

        SimulatedFileSystem stopped = isClean ? _files : _files.Kill();
        var next = new SteppedDirectory(stopped, _clock);
        DurableLog log = next.Open(1);
        stopped.Before = (call, path) =>
        {
            if (call == FileCall.Open && path == Segment0)
            {
                throw new UnauthorizedAccessException("injected"); // A copy that was put back for another user.
            }
        };
        Assert.Equal(20, log.Durable);
        Assert.NotNull(log.Failure);
        stopped.Before = null;
        LogPosition position = LogPosition.At(3);
        Assert.Equal(ReadStatus.Failed, log.Read(ref position, 1000, out _));
        Assert.Equal(ReadStatus.Failed, log.ReadCold(ref position, 1000, out _));
        ValueTask<long> found = log.FindOffsetAsync(long.MaxValue);
        next.RunBackground();
        await Assert.ThrowsAsync<IOException>(async () => await found);
        Assert.Empty(log.Damages);
        Assert.Equal(0, next.Directory.Counters.Damages);
        next.RunCommits();
        next.Directory.Dispose();
        var mended = new SteppedDirectory(stopped, _clock);
        DurableLog again = mended.Open(1);
        again.EnsureReady();
        mended.RunCommits();
        Assert.Equal(20, LogDriver.ReadAll(again, 0).Count);
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
}
