namespace Danube.Fast.Wal.Tests;

public sealed class ColdBufferPoolTests
{
    [Fact]
    public void What_is_kept_and_what_had_to_be_got_is_known()
    {
        var pool = new ColdBufferPool();
        Assert.Equal((0, 0), (pool.KeptBytes, pool.MadeBytes));
        ColdBuffer first = pool.Rent(100_000), second = pool.Rent(200_000);
        long made = first.Bytes.Length + second.Bytes.Length;
        Assert.Equal((0, made), (pool.KeptBytes, pool.MadeBytes));
        first.Release();
        second.Release();
        Assert.Equal((made, made), (pool.KeptBytes, pool.MadeBytes));

        // The last one kept is taken again, and a larger one than is kept is got anew.
        ColdBuffer again = pool.Rent(150_000), larger = pool.Rent(1_000_000);
        Assert.Equal((0, made + larger.Bytes.Length), (pool.KeptBytes, pool.MadeBytes));
        again.Release();
        larger.Release();
        Assert.Equal(again.Bytes.Length + larger.Bytes.Length, pool.KeptBytes);

        // One that is too large to be kept is not.
        ColdBuffer huge = pool.Rent(8 << 20);
        long kept = pool.KeptBytes;
        huge.Release();
        Assert.Equal(kept, pool.KeptBytes);
    }
}
