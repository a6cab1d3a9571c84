using FsCheck;
using FsCheck.Fluent;

namespace Danube.Fast.Core.Tests;

/// <summary>Redelivery counts against an array of counts, and in numbers at which a sorted list would take hours.</summary>
public sealed class RedeliveryCountTests
{
    private const int Span = 4_000;
    private const int Million = 1_000_000;

    // Length 1 at even places keeps ranges apart, so that there are many blocks.
    private static Arbitrary<(int First, int Length, bool Raises)[]> Scripts { get; } = Gen.ArrayOf(
        from raises in Gen.Frequency((3, Gen.Constant(true)), (2, Gen.Constant(false)))
        from move in Gen.Frequency(
            (6, from first in Gen.Choose(0, (Span / 2) - 1) select (first * 2, 1)),
            (2, from first in Gen.Choose(0, Span - 20) from length in Gen.Choose(1, 20) select (first, length)),
            (1, from first in Gen.Choose(0, Span / 2) from length in Gen.Choose(1, Span / 2) select (first, length)))
        select (move.Item1, move.Item2, raises)).ToArbitrary();

    [Fact]
    public void Raising_and_removing_equal_an_array_of_counts() => Prop.ForAll(Scripts, script =>
    {
        var counts = new RedeliveryCounts();
        var model = new (ushort Count, ReturnReason Reason)[Span];

        // From many ranges on, or from none.
        for (int i = 0; script.Length % 2 == 0 && i < Span; i += 2)
        {
            counts.Raise(i, i + 1, ReturnReason.AckTimeout);
            model[i] = (1, ReturnReason.AckTimeout);
        }

        foreach ((int first, int length, bool raises) in script)
        {
            for (int i = first; i < first + length; i++)
            {
                model[i] = raises ? ((ushort)(model[i].Count + 1), (ReturnReason)(length % 6)) : default;
            }

            if (raises)
            {
                counts.Raise(first, first + length, (ReturnReason)(length % 6));
            }
            else
            {
                counts.Remove(first, first + length);
            }
        }

        return Equal(counts, model);
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(400));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_million_records_come_back_one_by_one_and_are_settled_in_any_order(bool downwards)
    {
        var counts = new RedeliveryCounts();
        for (int i = 0; i < Million; i++)
        {
            long offset = 2L * (downwards ? Million - 1 - i : i);
            counts.Raise(offset, offset + 1, ReturnReason.Nack);
        }

        Assert.Equal(Million, counts.Count);
        AssertBounded(counts);

        // A step that has no divisor in common with the number meets each once, all over the place.
        for (long i = 0, at = 0; i < Million; i++, at = (at + 382_021) % Million)
        {
            Assert.Equal(1, counts.At(2 * at, out long end));
            Assert.Equal((2 * at) + 1, end);
            counts.Raise(2 * at, (2 * at) + 1, ReturnReason.Nack);
            if (at % 1000 != 0)
            {
                counts.Remove(2 * at, (2 * at) + 1);
            }
        }

        Assert.Equal(Million / 1000, counts.Count);
        Assert.All(counts.Entries, e => Assert.Equal((0, 2), (e.First % 2000, (int)e.Redeliveries)));
        AssertBounded(counts);
        counts.Remove(0, Million);
        Assert.Equal(Million / 2000, counts.Count);
        counts.Remove(0, long.MaxValue);
        Assert.Equal((0, 0), (counts.Count, counts.Blocks));
    }

    [Fact]
    public void A_window_that_moves_on_takes_no_new_memory()
    {
        var counts = new RedeliveryCounts();
        long at = 0;
        Move(10_000);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Move(100_000);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Move(int steps)
        {
            for (; steps > 0; steps--, at += 2)
            {
                counts.Raise(at, at + 1, ReturnReason.Nack);
                counts.Remove(0, at - 2_000);
            }
        }
    }

    [Fact]
    public void What_is_acknowledged_out_of_order_has_no_count_any_more()
    {
        var cursor = new Cursor(0);
        for (int i = 1; i < 100_000; i++)
        {
            cursor.Redeliveries.Raise(i, i + 1, (ReturnReason)(i % 6));
            cursor.Acknowledge(i, i + 1);
        }

        Assert.Equal((0L, 0), (cursor.MarkDelete, cursor.Redeliveries.Count));
    }

    private static void AssertBounded(RedeliveryCounts counts) =>
        Assert.InRange(counts.Blocks, counts.Count / RedeliveryBlock.Capacity, (4 * counts.Count / RedeliveryBlock.Capacity) + 2);

    private static bool Equal(RedeliveryCounts counts, (ushort Count, ReturnReason Reason)[] model)
    {
        for (long at = 0; at < model.Length;)
        {
            ushort count = counts.At(at, out long uniformEnd);
            for (long to = Math.Min(uniformEnd, model.Length); at < to; at++)
            {
                if (model[at].Count != count || (count > 0 && model[at].Reason != counts.ReasonAt(at)))
                {
                    return false;
                }
            }
        }

        // No neighbours that could be one, and the figures agree.
        RedeliveryCounts.Entry[] entries = [.. counts.Entries];
        bool joined = Enumerable.Range(1, Math.Max(0, entries.Length - 1)).All(i => entries[i - 1].End <= entries[i].First && !entries[i - 1].Joins(entries[i]));
        AssertBounded(counts);
        return joined && entries.Length == counts.Count;
    }
}
