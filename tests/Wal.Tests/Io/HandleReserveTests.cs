namespace Danube.Fast.Wal.Tests;

/// <summary>Handles that are left to the runtime.</summary>
public sealed class HandleReserveTests : IDisposable
{
    private readonly TempDirectory _temp = new();

    public void Dispose() => _temp.Dispose();

    [Theory]
    [InlineData(256, 192)]
    [InlineData(1024, 960)]
    [InlineData(2500, 2344)]
    [InlineData(1_048_576, 1_047_552)]
    [InlineData(ulong.MaxValue, long.MaxValue)]
    public void A_sixteenth_of_the_handles_is_left_to_the_runtime(ulong limit, long first) => Assert.Equal(first, HandleReserve.FirstReservedOf(limit));

    [Fact]
    public void Without_handles_no_file_is_made_only_to_be_unlinked_again()
    {
        if (!OperatingSystem.IsLinux())
        {
            return; // Elsewhere the numbers of handles say nothing.
        }

        var gauge = new HandleGauge(firstReserved: 1); // Every handle is one too many.
        var files = new NativeFileSystem(gauge);
        File.WriteAllBytes(Path.Combine(_temp.Root, "there"), [1]);
        Assert.True(IoErrors.IsOutOfHandles(Assert.ThrowsAny<IOException>(() => files.Open(Path.Combine(_temp.Root, "there")))));
        Assert.True(files.AreHandlesShort);
        var old = new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        Directory.SetLastWriteTimeUtc(_temp.Root, old);
        int before = OpenHandles();
        for (int i = 0; i < 2000; i++)
        {
            Assert.True(IoErrors.IsOutOfHandles(Assert.ThrowsAny<IOException>(() => files.CreateAllocated(Path.Combine(_temp.Root, "new"), 4096))));
        }

        Assert.Equal(old, Directory.GetLastWriteTimeUtc(_temp.Root)); // Nothing was made in it.
        Assert.True(OpenHandles() < before + 1000);
    }

    [Fact]
    public void When_handles_are_free_again_the_next_file_finds_out()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        const int First = 1_000_000;
        var gauge = new HandleGauge(First);
        Assert.False(gauge.IsReserved(10));
        Assert.False(gauge.IsReserved(First - 1));
        Assert.True(gauge.IsNear);
        Assert.True(gauge.IsReserved(First));
        using WalFile file = new NativeFileSystem(gauge).CreateAllocated(Path.Combine(_temp.Root, "new"), 4096);
        Assert.False(gauge.IsNear);
    }

    private static int OpenHandles() => Directory.GetFileSystemEntries("/proc/self/fd").Length;
}
