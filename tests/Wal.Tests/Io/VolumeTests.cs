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
