using Danube.Fast.Core;

namespace Danube.Fast.Wal.Tests;

/// <summary>A data directory that came back without its checkpoint: generations must not start over below those of the frames.</summary>
public sealed class MissingCheckpointTests
{
    [Fact]
    public void What_is_acknowledged_after_the_checkpoint_went_missing_survives_the_next_restart()
    {
        var files = new SimulatedFileSystem();
        var clock = new TestClock();
        for (ulong sequence = 1; sequence <= 4; sequence++)
        {
            var stepped = new SteppedDirectory(files, clock);
            DurableLog log = sequence == 1 ? stepped.Create(1) : stepped.Open(1);
            Assert.Equal((long)sequence - 1, log.Committed);
            uint before = log.Generation;
            Assert.Equal(AppendStatus.Ok, stepped.Append(log, TestFrames.Build(1, sequence, 1, 50)));
            stepped.RunCommits();
            Assert.Equal((long)sequence, log.Durable);
            Assert.True(log.Generation > before);
            files = files.Kill();
            if (sequence == 3)
            {
                files.Unlink($"{SteppedDirectory.Root}/checkpoint");
            }
        }

        DurableLog last = new SteppedDirectory(files, clock).Open(1);
        Assert.Equal(4, last.Committed);
    }
}
