using Danube.Fast.Core;
using Danube.Fast.Protocol;

namespace Danube.Fast.Wal.Tests;

/// <summary>Logs that come and go with owners: epochs, beginnings above 0, directories that are put aside.</summary>
public sealed class OwnershipTests
{
    private const ulong TopicId = 12;

    [Fact]
    public async Task The_epoch_of_the_last_frame_is_known_after_a_restart()
    {
        using var temp = new TempDirectory();
        using (DataDirectory directory = Open(temp))
        {
            TopicLog log = directory.Create(TopicId, DurabilityClass.Fsync, default);
            Assert.Equal(0u, log.HighestEpoch);
            log.TopicEpoch = 5;
            await LogDriver.AppendAsync(log, TestFrames.Build(1, 1, 2, 100));
            Assert.Equal(5u, log.HighestEpoch);
        }

        using DataDirectory again = Open(temp);
        TopicLog reopened = again.Open(TopicId, DurabilityClass.Fsync, default);
        Assert.Equal(5u, reopened.HighestEpoch);
        reopened.TopicEpoch = 6;
        await LogDriver.AppendAsync(reopened, TestFrames.Build(1, 3, 1, 100));
        Assert.True(SpinWait.SpinUntil(() => reopened.Durable == 3, TimeSpan.FromSeconds(60)));
        Assert.Equal([(0L, 5u), (2L, 6u)], LogDriver.ReadAll(reopened, 0, cold: true).Select(f => (f.Offset, new StreamHeader(f.Frame).TopicEpoch)));
    }

    [Fact]
    public void After_a_crash_the_epoch_is_found_in_the_frames()
    {
        var files = new SimulatedFileSystem();
        var clock = new TestClock();
        var first = new SteppedDirectory(files, clock);
        DurableLog log = first.Create(TopicId);
        log.TopicEpoch = 7;
        Assert.Equal(AppendStatus.Ok, first.Append(log, TestFrames.Build(1, 1, 3, 100)));
        first.RunCommits();
        Assert.Equal(7u, new SteppedDirectory(files.Kill(), clock).Open(TopicId).HighestEpoch);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_log_can_begin_above_zero(bool crash)
    {
        var files = new SimulatedFileSystem();
        var clock = new TestClock();
        var first = new SteppedDirectory(files, clock);
        TopicLog log = first.Directory.CreateAt(TopicId, DurabilityClass.Fsync, default, 1000);
        Assert.Equal((1000L, 1000L, 1000L), (log.LogStart, log.Committed, log.Durable));
        if (crash)
        {
            first = new SteppedDirectory(files.Kill(), clock);
            log = first.Open(TopicId);
            Assert.Equal((1000L, 1000L), (log.LogStart, log.Committed));
        }

        Assert.Equal(AppendStatus.Ok, first.Append((DurableLog)log, TestFrames.Build(1, 1, 2, 100)));
        first.RunCommits();
        var again = new SteppedDirectory(files.Kill(), clock);
        DurableLog last = again.Open(TopicId);
        Assert.Equal((1000L, 1002L), (last.LogStart, last.Committed));
        again.RunCommits();
        Assert.Equal([1000L], LogDriver.ReadAll(last, 1000, cold: true).Select(f => f.Offset));
    }

    [Fact]
    public async Task What_is_put_aside_is_whole_and_goes_after_its_time()
    {
        using var temp = new TempDirectory();
        using DataDirectory directory = Open(temp);
        TopicLog log = directory.Create(TopicId, DurabilityClass.Fsync, default);
        await LogDriver.AppendAsync(log, TestFrames.Build(1, 1, 2, 100));
        directory.Cursors.Save(TopicId, "s", new byte[8]);
        string? lies = directory.Park(TopicId);
        Assert.StartsWith(Path.Combine(directory.RootPath, "orphans", "12-"), lies, StringComparison.Ordinal);
        Assert.NotEmpty(Directory.GetFiles(lies!));
        Assert.False(directory.Exists(TopicId));
        Assert.Empty(directory.TopicIdsFound);
        Assert.Null(directory.Cursors.Load(TopicId, "s"));

        // The id can be used again, from anywhere.
        Assert.Equal(5, directory.CreateAt(TopicId, DurabilityClass.Fsync, default, 5).Committed);

        string strange = Path.Combine(directory.RootPath, "orphans", "notes");
        Directory.CreateDirectory(strange);
        Assert.Equal(0, directory.RemoveOrphans(TimeSpan.FromHours(1)));
        Assert.Equal(1, directory.RemoveOrphans(TimeSpan.Zero));
        Assert.True(SpinWait.SpinUntil(() => !Directory.Exists(lies), TimeSpan.FromSeconds(60)));
        Assert.True(Directory.Exists(strange));
        Assert.Null(directory.Park(99));
    }

    [Fact]
    public void What_is_put_aside_goes_by_itself_after_a_week()
    {
        var world = new SteppedDirectory(new SimulatedFileSystem(), new TestClock());
        Assert.Equal(AppendStatus.Ok, world.Append(world.Create(TopicId), TestFrames.Build(1, 1, 2, 100)));
        Assert.NotNull(world.Directory.Park(TopicId));
        for (int day = 1; day <= LogStore.OrphanDays; day++)
        {
            world.RunBackground();
            Assert.Single(world.Files.List("/data/orphans"));
            world.Tick(TimeSpan.FromDays(1));
        }

        world.RunBackground();
        Assert.Empty(world.Files.List("/data/orphans"));
    }

    private static DataDirectory Open(TempDirectory temp) => DataDirectory.Open(temp.Root, new WalOptions { SegmentBytes = 1 << 20, JournalBytes = 0 });
}
