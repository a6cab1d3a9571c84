using System.Buffers;
using Danube.Fast.Protocol;

namespace Danube.Fast.Core.Tests;

public sealed class ProducerTableTests
{
    [Fact]
    public void A_snapshot_reads_back_the_same()
    {
        var table = new ProducerTable();
        for (ulong id = 1; id <= 40; id++)
        {
            ulong sequence = 1;
            for (uint frame = 0; frame < id * 3; frame++)
            {
                table.Record(id, sequence, frame + 1, (long)(id * 10_000) + (long)sequence, (long)(id + frame));
                sequence += frame + 1;
            }
        }

        table.Attach(99, 17, 5);
        var output = new ArrayBufferWriter<byte>();
        ProducerSnapshot.Write(output, table, 7, 1234, 3);
        Assert.True(ProducerSnapshot.TryRead(output.WrittenSpan, 7, out ProducerTable copy, out long end, out uint generation));
        Assert.Equal((1234L, 3u, 41), (end, generation, copy.Count));
        Assert.Equal(17ul, copy.LastSequence(99));
        for (ulong id = 1; id <= 40; id++)
        {
            Assert.Equal(table.LastSequence(id), copy.LastSequence(id));
            for (ulong sequence = 0; sequence < table.LastSequence(id) + 3; sequence++)
            {
                for (uint count = 1; count < 4; count++)
                {
                    Assert.Equal(
                        (table.Check(id, sequence, count, out long expected), expected),
                        (copy.Check(id, sequence, count, out long actual), actual));
                }
            }
        }
    }

    [Fact]
    public void A_snapshot_keeps_the_generations_of_frames_and_one_of_format_1_is_still_read()
    {
        var table = new ProducerTable();
        table.Record(1, 1, 2, 0, 0, generation: 7);
        table.Record(1, 3, 1, 2, 0, generation: 9);
        var output = new ArrayBufferWriter<byte>();
        ProducerSnapshot.Write(output, table, 7, 3, 9);
        Assert.True(ProducerSnapshot.TryRead(output.WrittenSpan, 7, out ProducerTable copy, out _, out _));
        Assert.Equal([9u, 7u], Generations(copy));

        // Format 1: 28 bytes of head, 28 per producer, 20 per frame.
        byte[] bytes = output.WrittenSpan.ToArray();
        byte[] former = [.. bytes[..76], .. bytes[80..100], 0, 0, 0, 0];
        former[3] = 1;
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(former.AsSpan(former.Length - 4), Crc32C.Compute(former.AsSpan(0, former.Length - 4)));
        Assert.True(ProducerSnapshot.TryRead(former, 7, out copy, out _, out _));
        Assert.Equal([0u, 0u], Generations(copy));
        Assert.Equal((SequenceVerdict.Duplicate, 2L), (copy.Check(1, 3, 1, out long offset), offset));
    }

    private static uint[] Generations(ProducerTable table)
    {
        ProducerEntry entry = Assert.Single(table.Entries).Value;
        return [.. Enumerable.Range(0, entry.FrameCount).Select(age => entry.Frame(age).Generation)];
    }

    [Fact]
    public void A_damaged_snapshot_or_one_of_another_topic_is_refused()
    {
        var table = new ProducerTable();
        table.Record(1, 1, 2, 0, 0);
        var output = new ArrayBufferWriter<byte>();
        ProducerSnapshot.Write(output, table, 7, 2, 1);
        byte[] good = output.WrittenSpan.ToArray();
        Assert.False(ProducerSnapshot.TryRead(good, 8, out _, out _, out _));
        for (int length = 0; length < good.Length; length++)
        {
            Assert.False(ProducerSnapshot.TryRead(good.AsSpan(0, length), 7, out _, out _, out _));
        }

        for (int bit = 0; bit < good.Length * 8; bit++)
        {
            byte[] bad = [.. good];
            bad[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(ProducerSnapshot.TryRead(bad, 7, out _, out _, out _));
        }
    }

    [Fact]
    public void The_last_64_frames_are_remembered()
    {
        var table = new ProducerTable();
        for (ulong sequence = 1; sequence <= 100; sequence++)
        {
            table.Record(1, sequence, 1, (long)sequence * 2, 0);
        }

        Assert.Equal(SequenceVerdict.Mismatch, table.Check(1, 36, 1, out _));
        Assert.Equal(SequenceVerdict.Duplicate, table.Check(1, 37, 1, out long offset));
        Assert.Equal(74, offset);
        Assert.Equal(SequenceVerdict.Accept, table.Check(1, 101, 1, out _));
        Assert.Equal(SequenceVerdict.Gap, table.Check(1, 102, 1, out _));
        Assert.Equal(SequenceVerdict.Accept, table.Check(2, 1, 1, out _));
        Assert.Equal(SequenceVerdict.Gap, table.Check(2, 2, 1, out _));
        Assert.Equal(SequenceVerdict.Mismatch, table.Check(2, 0, 1, out _));
    }

    [Fact]
    public void The_longest_idle_go_when_there_are_too_many()
    {
        var table = new ProducerTable();
        for (ulong id = 1; id <= ProducerTable.MaxProducers; id++)
        {
            table.Record(id, 1, 1, (long)id, (long)id);
        }

        table.Record(1, 2, 1, 500_000, 500_000);
        table.Record(1_000_000, 1, 1, 600_000, 600_000);
        Assert.Equal(ProducerTable.MaxProducers - (ProducerTable.MaxProducers / 10) + 1, table.Count);
        Assert.Equal(ProducerTable.MaxProducers / 10, table.Dropped);
        Assert.Equal(2ul, table.LastSequence(1));
        Assert.Equal(0ul, table.LastSequence(2));
    }
}
