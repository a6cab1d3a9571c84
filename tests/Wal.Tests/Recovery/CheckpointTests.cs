using Danube.Fast.Core;

namespace Danube.Fast.Wal.Tests;

/// <summary>The checkpoint file: generations never repeat, whatever happens to a slot.</summary>
public sealed class CheckpointTests
{
    private const string File = "/data/checkpoint";
    private readonly SimulatedFileSystem _files = new();
    private readonly TestClock _clock = new();

    [Fact]
    public void Generations_go_on_across_blocks_and_restarts()
    {
        var directory = new SteppedDirectory(_files, _clock);
        uint last = 0;
        for (int i = 0; i < 2500; i++)
        {
            uint next = directory.Directory.Checkpoint.NextGeneration();
            Assert.Equal(last + 1, next);
            last = next;
        }

        Assert.True(new SteppedDirectory(_files.Crash(new Random(1), 0), _clock).Directory.Checkpoint.NextGeneration() > last);
    }

    [Fact]
    public void Any_flipped_bit_costs_at_most_a_slot_and_never_a_generation()
    {
        var directory = new SteppedDirectory(_files, _clock);
        uint used = 0;
        for (int i = 0; i < 1500; i++)
        {
            used = directory.Directory.Checkpoint.NextGeneration();
        }

        directory.Directory.Dispose();
        for (int bit = 0; bit < 2 * CheckpointSlot.Size * 8; bit += 997)
        {
            SimulatedFileSystem image = _files.Crash(new Random(1), 1);
            image.FileAt(File).FlipBit(bit);
            var next = new SteppedDirectory(image, _clock);
            Assert.True(next.Directory.Checkpoint.NextGeneration() > used);
            Assert.False(next.Directory.WasClosedCleanly);
        }
    }

    [Fact]
    public void A_lost_checkpoint_takes_generations_above_those_of_the_segments()
    {
        var directory = new SteppedDirectory(_files, _clock);
        DurableLog log = directory.Create(1);
        directory.Append(log, TestFrames.Build(1, 1, 1, 20));
        uint used = log.Generation;
        directory.Directory.Dispose();
        SimulatedFileSystem image = _files.Crash(new Random(1), 1);
        image.Unlink(File);
        var next = new SteppedDirectory(image, _clock);
        DurableLog again = next.Open(1);
        Assert.Equal(1, again.Committed);
        Assert.Equal(AppendStatus.Ok, next.Append(again, TestFrames.Build(1, 2, 1, 20)));
        Assert.True(again.Generation > used);
        Assert.Equal(2, new SteppedDirectory(image.Kill(), _clock).Open(1).Committed);
    }

    [Fact]
    public void The_clean_flag_goes_before_anything_is_written()
    {
        var directory = new SteppedDirectory(_files, _clock);
        directory.Create(1);
        directory.Directory.Dispose();
        Assert.True(new SteppedDirectory(_files, _clock).Directory.WasClosedCleanly);
        Assert.False(new SteppedDirectory(_files.Crash(new Random(1), 0), _clock).Directory.WasClosedCleanly);
    }
}
