namespace Danube.Fast.Wal.Tests;

/// <summary>The seam over the operating system's files.</summary>
public sealed class NativeFileSystemTests : IDisposable
{
    private readonly TempDirectory _temp = new();
    private readonly WalFileSystem _files = WalFileSystem.Native;

    public void Dispose() => _temp.Dispose();

    [Fact]
    public unsafe void Written_bytes_show_in_the_map_and_in_reads()
    {
        using WalFile file = _files.CreateAllocated(At("a"), 64 * 1024);
        Assert.Equal(64 * 1024, file.Length);
        using (WalMap map = file.Map(writable: true))
        {
            Assert.Equal(64 * 1024, map.Length);
            file.Write([1, 2, 3], 5000);
            Assert.Equal(2, map.Pointer[5001]);
            map.Pointer[5001] = 9;
            file.DataSync();
            var read = new byte[4];
            Assert.Equal(4, file.Read(read, 4999));
            Assert.Equal([0, 1, 9, 3], read);
        }

        Assert.Equal(2, file.Read(new byte[100], (64 * 1024) - 2));
        Assert.True(file.NextData(0) <= 5000);
        Assert.True(file.NextData(40_000) is >= 40_000 and <= 64 * 1024);
        Assert.Equal(64 * 1024, file.NextData(70_000));
        file.DropCache();
    }

    [Fact]
    public void Names_are_created_renamed_listed_and_removed()
    {
        _files.CreateDirectory(At("d"));
        _files.Create(At("d/x")).Dispose();
        Assert.Throws<IOException>(() => _files.Create(At("d/x")));
        Assert.True(_files.FileExists(At("d/x")));
        _files.Rename(At("d/x"), At("d/y"));
        Assert.Equal(["y"], _files.List(At("d")));
        _files.Create(At("d/z")).Dispose();
        _files.Rename(At("d/z"), At("d/y"));
        _files.SyncDirectory(At("d"));
        _files.Rename(At("d"), At("e"));
        Assert.True(_files.DirectoryExists(At("e")));
        Assert.Throws<FileNotFoundException>(() => _files.Open(At("e/none")));
        _files.Unlink(At("e/y"));
        _files.Unlink(At("e/y"));
        _files.Unlink(At("never/there"));
        _files.RemoveDirectory(At("e"));
        _files.RemoveDirectory(At("e"));
        Assert.Empty(_files.List(At("e")));
        Assert.ThrowsAny<IOException>(() => _files.SyncDirectory(At("e")));
    }

    [Fact]
    public void An_allocation_that_is_refused_leaves_nothing_behind()
    {
        // Not one that is larger than the disk: until it is refused all other processes find the disk full.
        Assert.ThrowsAny<Exception>(() => _files.CreateAllocated(At("none"), -1));
        Assert.Empty(_files.List(_temp.Root));
        (long free, long total) = _files.Space(_temp.Root);
        Assert.InRange(free, 1, total);
        Assert.IsType<DiskFullException>(IoErrors.FromError(Libc.EDiskFull, "fallocate", "a file"));
    }

    [Fact]
    public void A_file_that_is_being_closed_cannot_be_mapped()
    {
        WalFile file = _files.CreateAllocated(At("a"), 4096);
        file.Dispose();
        Assert.Throws<ObjectDisposedException>(() => file.Map(writable: false));
    }

    [Fact]
    public void Reading_a_log_file_leaves_its_time_of_access_alone()
    {
        if (!OperatingSystem.IsLinux())
        {
            return; // Only Linux has the flag.
        }

        foreach (Func<WalFile> open in new[] { () => _files.CreateAllocated(At("a"), 4096), () => _files.Open(At("a")) })
        {
            using var file = (NativeFile)open();
            Assert.NotEqual(0, Libc.FControl(file.Handle, Libc.GetFileFlags) & Libc.NoAccessTime);
            file.UseDirectIo();
            Assert.NotEqual(0, Libc.FControl(file.Handle, Libc.GetFileFlags) & Libc.NoAccessTime);
        }
    }

    private string At(string name) => Path.Combine(_temp.Root, name);
}
