using Danube.Fast.Core;

namespace Danube.Fast.Wal.Tests;

/// <summary>Producer state across restarts.</summary>
public sealed class SnapshotTests
{
    private const string Path = "/data/topics/1/producers.snap";
    private readonly SimulatedFileSystem _files = new();
    private readonly TestClock _clock = new();

    [Fact]
    public void A_snapshot_is_written_only_once_the_log_is_durable_up_to_it()
    {
        var directory = new SteppedDirectory(_files, _clock);
        DurableLog log = directory.Create(1);
        Fill(directory, log, 20, 3000);
        directory.Tick(TimeSpan.FromSeconds(2));
        Assert.False(_files.FileExists(Path));
        directory.RunCommits();
        directory.Tick(TimeSpan.FromSeconds(2));
        Assert.True(_files.FileExists(Path));
        Fill(directory, log, 5, 100);
        DurableLog again = new SteppedDirectory(_files.Kill(), _clock).Open(1);
        Assert.Equal(25UL, again.Producers.LastSequence(1));
        Assert.Equal(SequenceVerdict.Duplicate, again.Producers.Check(1, 7, 1, out long offset));
        Assert.Equal(6, offset);
    }

    [Fact]
    public void A_snapshot_ahead_of_the_recovered_end_is_thrown_away()
    {
        var directory = new SteppedDirectory(_files, _clock);
        DurableLog log = directory.Create(1);
        Fill(directory, log, 10, 100);
        directory.RunCommits();
        var ahead = new ProducerTable();
        ahead.Record(1, 1, 500, 0, 1);
        WriteSnapshot(ahead, endOffset: 500, log);
        DurableLog again = new SteppedDirectory(_files.Kill(), _clock).Open(1);
        Assert.Equal(10UL, again.Producers.LastSequence(1));
    }

    [Fact]
    public void A_snapshot_of_another_history_of_the_same_offsets_is_thrown_away()
    {
        var directory = new SteppedDirectory(_files, _clock);
        DurableLog log = directory.Create(1);
        Fill(directory, log, 10, 100);
        directory.RunCommits();
        var other = new ProducerTable();
        other.Record(1, 1, 500, 0, 1);
        WriteSnapshot(other, endOffset: 5, log); // Says that it ends where no frame of the segment begins.
        DurableLog again = new SteppedDirectory(_files.Kill(), _clock).Open(1);
        Assert.Equal(10UL, again.Producers.LastSequence(1));
    }

    [Fact]
    public void A_damaged_snapshot_costs_a_replay_only()
    {
        var directory = new SteppedDirectory(_files, _clock);
        DurableLog log = directory.Create(1);
        Fill(directory, log, 40, 3000);
        directory.RunCommits();
        directory.Tick(TimeSpan.FromSeconds(2));
        SimulatedFile file = _files.FileAt(Path);
        for (int bit = 0; bit < file.Length * 8; bit += 41)
        {
            file.FlipBit(bit);
            DurableLog again = new SteppedDirectory(_files.Kill(), _clock).Open(1);
            Assert.Equal(40UL, again.Producers.LastSequence(1));
            file.FlipBit(bit);
        }
    }

    private void WriteSnapshot(ProducerTable table, long endOffset, DurableLog log) =>
        SnapshotFile.Write(_files, "/data/topics/1", SnapshotFile.Serialize(table, 1, endOffset, log.Generation, 0, 300).WrittenSpan);

    private static void Fill(SteppedDirectory directory, DurableLog log, int frames, int bytes)
    {
        for (int i = 0; i < frames; i++)
        {
            ulong next = log.Producers.LastSequence(1) + 1;
            Assert.Equal(AppendStatus.Ok, directory.Append(log, TestFrames.Build(1, next, 1, bytes)));
        }
    }
}
