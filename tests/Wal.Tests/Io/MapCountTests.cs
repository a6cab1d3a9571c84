namespace Danube.Fast.Wal.Tests;

/// <summary>Maps are counted; a file that cannot be mapped takes no place.</summary>
public sealed class MapCountTests
{
    private const int MostMaps = 2;

    [Fact]
    public void A_file_that_cannot_be_mapped_leaves_room_for_others_whatever_the_error()
    {
        using var temp = new TempDirectory();
        var files = new SimulatedFileSystem();
        var world = new SteppedDirectory(files, new TestClock(), o => o with { MaxMaps = MostMaps });
        using WalFile tooLong = WalFileSystem.Native.Create(Path.Combine(temp.Root, "long"));
        tooLong.Write([1], 1L + int.MaxValue); // One block on the disk.
        using WalFile good = files.CreateAllocated("/data/good", 4096);
        WalFile closed = files.CreateAllocated("/data/closed", 4096);
        closed.Dispose();
        for (int i = 0; i < MostMaps; i++)
        {
            Assert.Throws<OverflowException>(() => world.Directory.TryMap(tooLong, writable: false));
            Assert.Null(world.Directory.TryMap(closed, writable: false));
        }

        for (int i = 0; i < MostMaps; i++)
        {
            Assert.NotNull(world.Directory.TryMap(good, writable: false));
        }

        Assert.Null(world.Directory.TryMap(good, writable: false));
        world.Directory.Dispose();
    }
}
