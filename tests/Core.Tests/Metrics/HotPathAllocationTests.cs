namespace Danube.Fast.Core.Tests;

public sealed class HotPathAllocationTests
{
    [Fact]
    public void A_path_inside_of_another_one_is_counted_once()
    {
        // So much that what tests beside this one allocate does not matter.
        const int Inner = 60_000_000, Outer = 20_000_000;
        long before = HotPathAllocations.Bytes;
        long outer = HotPathAllocations.Begin();
        long inner = HotPathAllocations.Begin();
        GC.KeepAlive(new byte[Inner]);
        HotPathAllocations.End(inner);
        GC.KeepAlive(new byte[Outer]);
        HotPathAllocations.End(outer);
        long again = HotPathAllocations.Begin();
        HotPathAllocations.End(again);
        Assert.InRange(HotPathAllocations.Bytes - before, Inner + Outer, Inner + Outer + (Inner / 2));
    }
}
