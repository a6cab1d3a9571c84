using System.Text;
using Danube.Fast.Protocol;

namespace Danube.Fast.Client.Tests;

// Chunks of several messages in between each other, and messages that never end.
public sealed partial class LargeMessageTests
{
    [Fact]
    public async Task Interleaved_messages_of_several_producers_are_put_together_and_acknowledged_separately()
    {
        for (int i = 0; i < 6; i++)
        {
            Store(1, (ulong)(10 + i), i, 6, [1, (byte)i]);
            StorePlain(3, (ulong)(1 + i), $"p{i}");
            Store(2, (ulong)(50 + i), i, 6, [2, (byte)i]);
        }

        _broker.Watch(FrameType.Ack);
        await using Consumer consumer = await Subscribe();
        for (int i = 0; i < 5; i++)
        {
            Assert.Equal($"p{i}", Encoding.UTF8.GetString((await Receive(consumer)).Payload.Span));
        }

        OwnedMessage one = await Receive(consumer, ack: false);
        Assert.Equal(new byte[] { 1, 0, 1, 1, 1, 2, 1, 3, 1, 4, 1, 5 }, one.Payload.ToArray());
        Assert.Equal(15, one.Id.Offset);
        await Receive(consumer);
        OwnedMessage two = await Receive(consumer);
        Assert.Equal(17, two.Id.Offset);
        await consumer.FlushAcksAsync();
        Assert.Equal(0, Subscription.MarkDelete);
        consumer.Ack(one.Id);
        await consumer.FlushAcksAsync();
        Assert.Equal(18, Subscription.MarkDelete);
    }

    [Fact]
    public async Task A_cumulative_acknowledgement_spares_messages_that_end_above_it()
    {
        for (int i = 0; i < 3; i++)
        {
            StorePlain(3, (ulong)(1 + i), $"p{i}"); // 0, 2, 4
            Store(1, (ulong)(10 + i), i, 4, [1]); // 1, 3, 5
        }

        await using (Consumer consumer = await Subscribe())
        {
            MessageId last = default;
            for (int i = 0; i < 3; i++)
            {
                last = (await Receive(consumer, ack: false)).Id;
                consumer.AckCumulative(last);
            }

            Assert.Equal(4, last.Offset);
            await consumer.FlushAcksAsync();
            Assert.Equal(1, Subscription.MarkDelete);
        }

        // Another consumer: nothing of the message is lost.
        Store(1, 13, 3, 4, [9]);
        await using Consumer next = await Subscribe();
        OwnedMessage message = await Receive(next, ack: false);
        Assert.Equal(new byte[] { 1, 1, 1, 9 }, message.Payload.ToArray());
        next.AckCumulative(message.Id);
        await next.FlushAcksAsync();
        Assert.Equal(7, Subscription.MarkDelete);
    }

    [Fact]
    public async Task Reading_that_begins_in_the_middle_skips_and_counts_the_rest_of_a_message()
    {
        for (int i = 0; i < 5; i++)
        {
            Store(1, (ulong)(10 + i), i, 5, [1]);
        }

        StorePlain(1, 15, "next");
        await using Consumer consumer = await Subscribe("offset:2");
        Assert.Equal("next", Encoding.UTF8.GetString((await Receive(consumer)).Payload.Span));
        Assert.Equal(3, consumer.OrphanedChunks);
        await consumer.FlushAcksAsync();
        Assert.Equal(6, Subscription.MarkDelete);
    }

    [Fact]
    public async Task A_message_whose_producer_began_another_one_is_over()
    {
        Store(1, 10, 0, 3, [1]);
        Store(1, 11, 1, 3, [1]);
        Store(2, 70, 0, 3, [2]);
        Store(1, 12, 0, 2, [3]);
        Store(1, 13, 1, 2, [4]);
        StorePlain(2, 71, "plain");
        await using Consumer consumer = await Subscribe();
        Assert.Equal(new byte[] { 3, 4 }, (await Receive(consumer)).Payload.ToArray());
        Assert.Equal("plain", Encoding.UTF8.GetString((await Receive(consumer)).Payload.Span));
        Assert.Equal(3, consumer.OrphanedChunks);
        await consumer.FlushAcksAsync();
        Assert.Equal(6, Subscription.MarkDelete);
    }

    [Fact]
    public async Task Too_many_and_too_large_messages_are_given_back_not_kept()
    {
        _broker.Watch(FrameType.Nack);
        for (ulong producer = 1; producer <= ChunkAssembler.MaxOpen + 1; producer++)
        {
            Store(producer, 10, 0, 2, [(byte)producer]);
        }

        Store(99, 10, 0, 2, new byte[600_000]);
        for (ulong producer = 1; producer <= ChunkAssembler.MaxOpen + 1; producer++)
        {
            Store(producer, 11, 1, 2, [(byte)producer]);
        }

        await using Consumer consumer = await Subscribe();
        for (byte producer = 1; producer <= ChunkAssembler.MaxOpen; producer++)
        {
            Assert.Equal(new[] { producer, producer }, (await Receive(consumer)).Payload.ToArray());
        }

        Assert.False(consumer.TryReceive(out _));
        await consumer.FlushAcksAsync();
        Assert.Equal(2, consumer.RefusedLargeMessages);
        Assert.Equal(0, consumer.OrphanedChunks);
        Assert.Equal([16, 17, 34], _broker.Seen(FrameType.Nack).Select(n => new AckFrame(n).Range(0).First));
        Assert.Equal(NackReason.Undecodable, new AckFrame(_broker.Seen(FrameType.Nack)[1]).Reason);
        Assert.Equal(AckFrame.BackOffDelay, new AckFrame(_broker.Seen(FrameType.Nack)[0]).NackDelayMs);
        Assert.Equal(16, Subscription.MarkDelete);
    }

    [Fact]
    public async Task A_nack_gives_all_chunks_back()
    {
        _broker.Watch(FrameType.Nack);
        for (int i = 0; i < 3; i++)
        {
            Store(1, (ulong)(10 + i), i, 3, [1]);
            StorePlain(3, (ulong)(1 + i), $"p{i}");
        }

        await using Consumer consumer = await Subscribe();
        await Receive(consumer);
        await Receive(consumer);
        OwnedMessage message = await Receive(consumer, ack: false);
        Assert.Equal(4, message.Id.Offset);
        consumer.Nack(message.Id, TimeSpan.FromSeconds(5));
        await ProducerTests.Eventually(() => _broker.Seen(FrameType.Nack).Length == 1);
        var nack = new AckFrame(_broker.Seen(FrameType.Nack)[0]);
        Assert.Equal(3, nack.RangeCount);
        Assert.Equal([(0L, 1u), (2L, 1u), (4L, 1u)], Enumerable.Range(0, 3).Select(i => new AckFrame(_broker.Seen(FrameType.Nack)[0]).Range(i)));
        Assert.Equal(5000ul, nack.NackDelayMs);
    }

    [Fact]
    public async Task A_seek_in_the_middle_of_a_message_begins_it_anew()
    {
        for (int i = 0; i < 3; i++)
        {
            Store(1, (ulong)(10 + i), i, 4, [(byte)i]);
        }

        StorePlain(3, 1, "p");
        await using Consumer consumer = await Subscribe();
        Assert.Equal(3, (await Receive(consumer)).Id.Offset);
        await consumer.SeekAsync("earliest");
        Assert.Equal(3, (await Receive(consumer)).Id.Offset);
        await using Producer producer = await Produce();
        Store(1, 13, 3, 4, [3]);
        await producer.SendAsync("wakes the fake"u8.ToArray());
        Assert.Equal(new byte[] { 0, 1, 2, 3 }, (await Receive(consumer)).Payload.ToArray());
        Assert.Equal(0, consumer.OrphanedChunks);
    }
}
