using Danube.Fast.Core;

namespace Danube.Fast.Wal.Tests;

/// <summary>What the journal holds goes into the files a piece at a time, so that a checkpoint has little left to write.</summary>
public sealed class WriteBehindTests
{
    private const int Record = 60_000, RingBytes = 64 * 1024 * 1024, SegmentBytes = 8 * 1024 * 1024;

    private readonly SimulatedFileSystem _files = new();
    private readonly SteppedDirectory _directory;

    public WriteBehindTests() => _directory = new SteppedDirectory(_files, new TestClock(), o => o with { JournalBytes = RingBytes, SegmentBytes = SegmentBytes });

    private List<(string Path, long Position, long Length)> Pieces => _files.BegunWrites;

    [Fact]
    public void Pieces_follow_each_other_and_hold_only_what_is_durable()
    {
        DurableLog log = _directory.Create(1);
        for (ulong i = 1; i <= 200; i++)
        {
            Append(log, i);
        }

        Assert.Equal(0, _directory.Directory.Counters.Checkpoints);
        Assert.True(Pieces.Count > 3, $"{Pieces.Count} pieces.");

        // Files have another name when they are made: the last ones of the log, in order.
        IGrouping<string, (string Path, long Position, long Length)>[] files = [.. Pieces.GroupBy(p => p.Path)];
        foreach ((IGrouping<string, (string Path, long Position, long Length)> file, Segment segment) in files.Zip(log.SegmentsForTest.TakeLast(files.Length)))
        {
            long next = 0;
            foreach ((_, long position, long length) in file)
            {
                Assert.Equal(next, position);
                Assert.InRange(length, WriteBehind.MostBytes, WriteBehind.MostBytes + (2 * Record));
                Assert.Equal(0, length % 4096);
                next = position + length;
            }

            Assert.InRange(segment.DurablePosition - next, 0, WriteBehind.MostBytes + (2 * Record));
        }
    }

    [Fact]
    public void What_a_checkpoint_has_synced_is_not_asked_for_again()
    {
        DurableLog log = _directory.Create(1);
        ulong sequence = 0;
        Fill(4_500_000);
        _directory.Tick(TimeSpan.FromSeconds(6));
        _directory.RunCommits();
        int before = Pieces.Count;
        Segment last = log.SegmentsForTest[^1];
        long synced = last.SyncedPosition;
        Assert.InRange(synced, 1, last.Capacity - (3 * WriteBehind.MostBytes));
        Fill(WriteBehind.MostBytes / 2);
        Assert.Equal(before, Pieces.Count);
        Fill(2 * WriteBehind.MostBytes);
        Assert.Equal(synced / 4096 * 4096, Pieces[before].Position);

        void Fill(long bytes)
        {
            for (long filled = 0; filled < bytes; filled += Record)
            {
                Append(log, ++sequence);
            }
        }
    }

    [Fact]
    public void Many_logs_with_little_each_are_left_to_the_checkpoint()
    {
        DurableLog[] logs = [.. Enumerable.Range(1, 20).Select(i => _directory.Create((ulong)i))];
        for (ulong i = 1; i <= 10; i++)
        {
            Array.ForEach(logs, l => Append(l, i));
        }

        Assert.Empty(Pieces);
    }

    [Fact]
    public void The_more_files_wait_for_a_checkpoint_the_smaller_are_the_pieces()
    {
        const int Logs = 1_100, Small = 2_000;
        DurableLog[] logs = [.. Enumerable.Range(1, Logs).Select(i => _directory.Create((ulong)i))];
        Array.ForEach(logs, l => Append(l, 1, Small));
        Assert.Empty(Pieces);
        for (ulong i = 2; i <= 50; i++)
        {
            Append(logs[0], i, Small);
        }

        Assert.Equal(0, _directory.Directory.Counters.Checkpoints);
        Assert.True(Pieces.Count > 1, $"{Pieces.Count} pieces.");
        Assert.All(Pieces, p => Assert.InRange(p.Length, WriteBehind.LeastBytes, WriteBehind.LeastBytes + (4 * Small)));
        Assert.Equal(
            [WriteBehind.MostBytes, WriteBehind.MostBytes, WriteBehind.MostBytes / 2, WriteBehind.LeastBytes, WriteBehind.LeastBytes],
            [WriteBehind.PieceFor(0), WriteBehind.PieceFor(32), WriteBehind.PieceFor(64), WriteBehind.PieceFor(1024), WriteBehind.PieceFor(10_000)]);
    }

    [Fact]
    public void A_piece_of_a_file_that_was_closed_meanwhile_is_dropped()
    {
        var work = new WriteBehind(_directory.Directory.Committer, null);
        WalFile file = _files.CreateAllocated("/closed", 2 * WriteBehind.MostBytes);
        work.Ask(new Segment("/closed", 0, 2 * WriteBehind.MostBytes) { File = file }, 2 * WriteBehind.MostBytes);
        file.Dispose();
        work.Commit();
        Assert.Empty(Pieces);
    }

    private void Append(DurableLog log, ulong sequence, int record = Record)
    {
        Assert.Equal(AppendStatus.Ok, _directory.Append(log, TestFrames.Build(log.TopicId + 10, sequence, 1, record)));
        _directory.RunCommits();
    }
}
