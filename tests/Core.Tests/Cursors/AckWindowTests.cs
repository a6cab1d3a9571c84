namespace Danube.Fast.Core.Tests;

public sealed class AckWindowTests
{
    [Fact]
    public void In_order_acknowledgements_need_no_bitmap()
    {
        var cursor = new Cursor(0);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (long at = 0; at < 1_000_000; at += 100)
        {
            cursor.Acknowledge(at, at + 100);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.Equal(1_000_000, cursor.MarkDelete);
    }

    [Fact]
    public void A_window_of_a_million_offsets_works_to_its_end()
    {
        const long End = 1_065_536;
        var cursor = new Cursor(0);
        for (long at = 1; at < End; at += 2)
        {
            cursor.Acknowledge(at, at + 1);
        }

        Assert.Equal(End / 2, cursor.AcknowledgedBeyond);
        for (long at = 0; at < End; at += 2)
        {
            Assert.Equal(1, cursor.Acknowledge(at, at + 1));
            Assert.Equal(at + 2, cursor.MarkDelete);
        }

        Assert.Equal(0, cursor.AcknowledgedBeyond);
        cursor.Trim();
        Assert.Equal(1, cursor.Acknowledge(End + 5, End + 6));
    }

    [Fact]
    public void A_moving_window_reuses_its_words()
    {
        var cursor = new Cursor(0);
        for (long at = 0; at < 1000; at++)
        {
            cursor.Acknowledge(at + 1, at + 2);
            cursor.Acknowledge(at, at + 1);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (long at = cursor.MarkDelete; at < 200_000; at = cursor.MarkDelete)
        {
            cursor.Acknowledge(at + 60, at + 61);
            cursor.Acknowledge(at, at + 60);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }
}
