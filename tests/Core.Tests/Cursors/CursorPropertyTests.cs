using System.Buffers;
using FsCheck;
using FsCheck.Fluent;

namespace Danube.Fast.Core.Tests;

/// <summary>The cursor against a set of offsets, over arbitrary acknowledgements.</summary>
public sealed class CursorPropertyTests
{
    private const int Span = 700;

    private static Arbitrary<(long Start, (int First, int Length)[] Acks)> Scripts { get; } = (
        from start in Gen.Elements(0L, 1L, 63L, 64L, 1000L, (1L << 40) - 5)
        from acks in Gen.ArrayOf(
            from first in Gen.Choose(0, Span)
            from length in Gen.Frequency((6, Gen.Choose(1, 4)), (3, Gen.Choose(1, 130)), (1, Gen.Choose(1, Span)))
            select (first, length))
        select (start, acks)).ToArbitrary();

    [Fact]
    public void Acknowledging_equals_a_set_of_offsets() => Check(script =>
    {
        (Cursor cursor, CursorModel model) = (new Cursor(script.Start), new CursorModel(script.Start));
        foreach ((int first, int length) in script.Acks)
        {
            long from = script.Start + first;
            bool sameCount = cursor.Acknowledge(from, from + length) == model.Acknowledge(from, from + length);
            if (!sameCount || !SameState(cursor, model, script.Start))
            {
                return false;
            }
        }

        return true;
    });

    [Fact]
    public void A_saved_cursor_reads_back_the_same() => Check(script =>
    {
        var cursor = new Cursor(script.Start) { Epoch = 7, Generation = 9 };
        var model = new CursorModel(script.Start);
        foreach ((int first, int length) in script.Acks)
        {
            long from = script.Start + first;
            cursor.Redeliveries.Raise(from, from + length, (ReturnReason)(length % 6));
            cursor.Acknowledge(from + 1, from + length);
            model.Acknowledge(from + 1, from + length);
        }

        var state = new ArrayBufferWriter<byte>();
        CursorCodec.Write(state, cursor, SubscriptionType.Shared);
        bool read = CursorCodec.TryRead(state.WrittenSpan, out Cursor? copy, out SubscriptionType type);
        return read && type == SubscriptionType.Shared && copy!.Epoch == 7 && copy.Generation == 9 && !copy.IsDirty
            && SameState(copy, model, script.Start)
            && Counts(copy, script.Start).SequenceEqual(Counts(cursor, script.Start));
    });

    [Fact]
    public void Clamping_keeps_what_lies_inside_and_counts_the_rest() => Check(script =>
    {
        (Cursor cursor, CursorModel model) = (new Cursor(script.Start), new CursorModel(script.Start));
        foreach ((int first, int length) in script.Acks)
        {
            cursor.Acknowledge(script.Start + first, script.Start + first + length);
            model.Acknowledge(script.Start + first, script.Start + first + length);
        }

        long logStart = script.Start + 20, end = script.Start + 300;
        long expectedLost = Rig.Range(script.Start, logStart).LongCount(o => !model.IsAcknowledged(o));
        model.Acknowledge(script.Start, logStart);
        long expectedDropped = Math.Max(0, model.MarkDelete - end) + model.Beyond.LongCount(o => o >= end);
        long dropped = cursor.Clamp(logStart, end, out long lost);
        bool inside = true;
        for (long offset = script.Start; offset < end; offset++)
        {
            inside &= cursor.IsAcknowledged(offset, offset + 1) == model.IsAcknowledged(offset);
        }

        return inside && lost == expectedLost && dropped == expectedDropped && cursor.MarkDelete <= end && cursor.AcknowledgedEnd <= end;
    });

    [Fact]
    public void No_damaged_state_is_read_as_anything_but_a_valid_cursor()
    {
        var cursor = new Cursor(100);
        cursor.Acknowledge(110, 120);
        cursor.Acknowledge(130, 131);
        cursor.Redeliveries.Raise(102, 105, ReturnReason.AckTimeout);
        var state = new ArrayBufferWriter<byte>();
        CursorCodec.Write(state, cursor, SubscriptionType.Exclusive);
        byte[] good = state.WrittenSpan.ToArray();
        for (int length = 0; length < good.Length; length++)
        {
            Assert.False(CursorCodec.TryRead(good.AsSpan(0, length), out _, out _));
        }

        for (int bit = 0; bit < good.Length * 8; bit++)
        {
            byte[] bad = [.. good];
            bad[bit / 8] ^= (byte)(1 << (bit % 8));
            if (CursorCodec.TryRead(bad, out Cursor? read, out _))
            {
                Assert.True(read.AcknowledgedEnd >= read.MarkDelete);
            }
        }
    }

    private static void Check(Func<(long Start, (int First, int Length)[] Acks), bool> property) =>
        Prop.ForAll(Scripts, property).Check(Config.QuickThrowOnFailure.WithMaxTest(400));

    private static bool SameState(Cursor cursor, CursorModel model, long start)
    {
        bool same = cursor.MarkDelete == model.MarkDelete && cursor.AcknowledgedBeyond == model.Beyond.Count
            && cursor.AcknowledgedEnd == (model.Beyond.Count == 0 ? model.MarkDelete : model.Beyond.Max() + 1)
            && cursor.Backlog(start + 2000) == start + 2000 - model.MarkDelete - model.Beyond.Count;
        for (long offset = model.MarkDelete; same && offset < start + (2 * Span) + 70; offset++)
        {
            bool acknowledged = model.IsAcknowledged(offset);
            same &= (cursor.NextUnacknowledged(offset) == offset) == !acknowledged;
            same &= (cursor.NextAcknowledged(offset, long.MaxValue) == offset) == acknowledged;
            same &= cursor.NextAcknowledged(offset, offset + 1) == (acknowledged ? offset : offset + 1);
        }

        return same;
    }

    private static IEnumerable<ushort> Counts(Cursor cursor, long start) =>
        Rig.Range(start, start + (2 * Span)).Select(o => o < cursor.MarkDelete ? (ushort)0 : cursor.Redeliveries.At(o, out _));
}
