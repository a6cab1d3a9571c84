namespace Danube.Fast.Wal.Tests;

/// <summary>The system tells of a failed write-back once: who asks later must not take the silence for an answer.</summary>
public sealed class VolumeTests
{
    [Fact]
    public void After_an_error_the_file_system_vouches_for_nothing_any_more()
    {
        using var volume = new FailsOnce();
        Assert.Equal("injected", Assert.Throws<IOException>(volume.Sync).Message);
        Assert.Contains("injected", Assert.Throws<IOException>(volume.Sync).Message, StringComparison.Ordinal);
        Assert.Equal(1, volume.Calls);
    }

    [Theory]
    [InlineData("ext4", true)]
    [InlineData("overlay", true)]
    [InlineData("fuse.mergerfs", false)]
    [InlineData("fuseblk", false)]
    [InlineData("virtiofs", false)]
    [InlineData("9p", false)]
    [InlineData("cifs", false)]
    public void Only_a_file_system_of_this_machine_is_synced_as_a_whole(string format, bool vouches) => Assert.Equal(vouches, NativeVolume.Vouches(format));

    [Fact]
    public void A_folder_of_such_a_file_system_has_a_volume()
    {
        string folder = Path.GetTempPath();
        using WalVolume? volume = WalFileSystem.Native.OpenVolume(folder);
        Assert.Equal(OperatingSystem.IsLinux() && NativeVolume.Vouches(new DriveInfo(folder).DriveFormat), volume is not null);
        volume?.Sync();
    }

    private sealed class FailsOnce : WalVolume
    {
        public int Calls { get; private set; }

        protected override void SyncNow()
        {
            if (++Calls == 1)
            {
                throw new IOException("injected");
            }
        }

        protected override void Dispose(bool disposing)
        {
        }
    }
}
