namespace Danube.Fast.Wal.Tests;

public sealed class HandleReserveTests
{
    [Theory]
    [InlineData(256, 192)]
    [InlineData(1024, 960)]
    [InlineData(2500, 2344)]
    [InlineData(1_048_576, 1_047_552)]
    [InlineData(ulong.MaxValue, long.MaxValue)]
    public void A_sixteenth_of_the_handles_is_left_to_the_runtime(ulong limit, long first) => Assert.Equal(first, HandleReserve.FirstReservedOf(limit));
}
