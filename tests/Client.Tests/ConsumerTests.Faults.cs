using System.Text;
using Danube.Fast.Protocol;

namespace Danube.Fast.Client.Tests;

// Nacks, damage, takeovers, waits that end.
public sealed partial class ConsumerTests
{
    [Fact]
    public async Task A_nack_carries_range_delay_and_reason()
    {
        await Publish(3);
        _broker.Watch(FrameType.Nack);
        await using Consumer consumer = await Subscribe();
        consumer.Nack(await consumer.ReceiveAsync(), TimeSpan.FromMilliseconds(1500));
        await consumer.FlushAcksAsync();
        Check(Assert.Single(_broker.Seen(FrameType.Nack)));

        static void Check(byte[] frame)
        {
            var nack = new AckFrame(frame);
            Assert.Equal(1500ul, nack.NackDelayMs);
            Assert.Equal(NackReason.Rejected, nack.Reason);
            Assert.Equal((0L, 1u), nack.Range(0));
        }
    }

    [Fact]
    public async Task A_frame_that_cannot_be_decoded_is_given_back_as_a_whole_and_the_rest_arrives()
    {
        await Publish(2, perBatch: 1);
        byte[] bad = [1, 2, 3, 4, 5, 6, 7, 8];
        AppendFrame(bad, 4, (FrameFlags)Codec.Brotli, rawLength: 100);
        await Publish(2, perBatch: 1);
        _broker.Watch(FrameType.Nack);
        await using Consumer consumer = await Subscribe();
        Assert.Equal(["message number 0", "message number 1", "message number 0", "message number 1"], await Receive(consumer, 4));
        await consumer.FlushAcksAsync();
        var nack = _broker.Seen(FrameType.Nack);
        Assert.Equal((2L, 4u), new AckFrame(Assert.Single(nack)).Range(0));
        Assert.Equal(NackReason.Undecodable, new AckFrame(nack[0]).Reason);
        await ProducerTests.Eventually(() => Subscription.Taken == 8);
    }

    [Fact]
    public async Task Bare_frames_hold_one_message()
    {
        AppendFrame(Bytes("bare"), 1, FrameFlags.Bare, rawLength: 4);
        await using Consumer consumer = await Subscribe();
        Message message = await consumer.ReceiveAsync();
        Assert.Equal("bare", Text(message));
        Assert.False(message.HasKey);
        Assert.Equal("bare", Encoding.UTF8.GetString(message.ToOwned().Payload.Span));
    }

    [Theory]
    [InlineData(20)] // The deliver's own header.
    [InlineData(128 + 20)] // The header of a stored frame.
    [InlineData(128 + 128 + 9)] // A payload.
    public async Task A_damaged_deliver_is_never_given_out_and_comes_again(int at)
    {
        await Publish(50, perBatch: 50);
        int damaged = 0;
        _broker.OnDeliver = (bytes, _) => bytes[at] ^= damaged++ == 0 ? (byte)1 : (byte)0;
        await using Consumer consumer = await Subscribe();
        Assert.Equal(Enumerable.Range(0, 50).Select(i => $"message number {i}"), await Receive(consumer, 50));
        Assert.True(damaged >= 2);
    }

    [Fact]
    public async Task A_takeover_ends_the_consumer()
    {
        await Publish(10);
        await using Consumer consumer = await Subscribe();
        await Receive(consumer, 1);
        _broker.CloseChannels(ErrorCode.Fenced);
        DanubeException error = await Assert.ThrowsAsync<DanubeException>(() => Receive(consumer, 10));
        Assert.Equal(ErrorCode.Fenced, error.Code);
    }

    [Fact]
    public async Task A_wait_can_be_cancelled_and_the_next_one_works()
    {
        await using Consumer consumer = await Subscribe();
        using var cancel = new CancellationTokenSource();
        ValueTask<Message> wait = consumer.ReceiveAsync(cancel.Token);
        Assert.False(wait.IsCompleted);
        cancel.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await wait);
        ValueTask<Message> next = consumer.ReceiveAsync();
        await Publish(1);
        Assert.Equal("message number 0", Text(await next));
    }

    [Fact]
    public async Task Two_waits_at_once_are_refused()
    {
        await using Consumer consumer = await Subscribe();
        ValueTask<Message> wait = consumer.ReceiveAsync();
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await consumer.ReceiveAsync());
        await Publish(1);
        await wait;
    }

    [Fact]
    public async Task Reading_all_ends_with_the_consumer()
    {
        await Publish(25);
        Consumer consumer = await Subscribe();
        int read = 0;
        Task disposal = Task.CompletedTask;
        await foreach (Message message in consumer.ReadAllAsync())
        {
            consumer.Ack(message);
            if (++read == 25)
            {
                disposal = Task.Run(async () => await consumer.DisposeAsync());
            }
        }

        await disposal;
        Assert.Equal(25, read);
        Assert.Equal(25, Subscription.MarkDelete);
    }
}
