using System.Runtime.CompilerServices;
using Danube.Fast.Protocol;

namespace Danube.Fast.Client.Tests;

/// <summary>Messages that no frame can take are refused to their sender, also while others wait for room.</summary>
public sealed class WaitingMessageTests
{
    private const int MaxFrame = 256 * 1024;

    [Fact]
    public async Task A_bad_message_does_not_get_in_line()
    {
        using var broker = new FakeBroker { HoldAcks = true };
        await using DanubeClient client = await DanubeClient.ConnectAsync(broker.Url, ProducerTests.Fast());
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = "/t/w", MaxBatchBytes = 256, WindowBytes = 1024, MaxMessageBytes = 1 << 20 });
        int posted = 0;
        while (producer.TryPost(new byte[60]))
        {
            posted++;
        }

        Task<MessageId> before = producer.SendAsync(new byte[60]).AsTask();
        Task large = Task.Run(async () => await producer.SendAsync(new byte[ProtocolLimits.DefaultMaxFrame]));
        Task post = Task.Run(async () => await producer.PostAsync(new byte[ProtocolLimits.DefaultMaxFrame]));
        Task key = Task.Run(async () => await producer.SendAsync(new OutgoingMessage { Payload = new byte[1], Key = new byte[ProtocolLimits.MaxKeyLength + 1] }));
        Assert.Equal(ErrorCode.MessageTooLarge, (await Assert.ThrowsAsync<DanubeException>(() => large.WaitAsync(TimeSpan.FromSeconds(60)))).Code);
        Assert.Equal(ErrorCode.MessageTooLarge, (await Assert.ThrowsAsync<DanubeException>(() => post.WaitAsync(TimeSpan.FromSeconds(60)))).Code);
        await Assert.ThrowsAsync<ArgumentException>(() => key.WaitAsync(TimeSpan.FromSeconds(60)));
        Task<MessageId> after = producer.SendAsync(new byte[60]).AsTask();
        broker.ReleaseAcks();
        Assert.Equal(posted, (await before.WaitAsync(TimeSpan.FromSeconds(60))).Offset);
        Assert.Equal(posted + 1, (await after.WaitAsync(TimeSpan.FromSeconds(60))).Offset);
        Assert.Equal(1, broker.Connections);
    }

    [Fact]
    public async Task A_flush_and_a_dispose_wait_for_messages_that_wait_for_room()
    {
        using var broker = new FakeBroker { HoldAcks = true };
        await using DanubeClient client = await DanubeClient.ConnectAsync(broker.Url, ProducerTests.Fast());
        Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = "/t/w", MaxBatchBytes = 256, WindowBytes = 1024, ChunkBytes = 64 * 1024 });
        Task<MessageId>[] sends = [.. Enumerable.Range(0, 50).Select(i => producer.SendAsync(new byte[60 + i]).AsTask())];
        Task<MessageId> large = producer.SendAsync(new byte[10_000_000]).AsTask();
        Task flush = producer.FlushAsync().AsTask();
        Assert.False(flush.IsCompleted);
        Task<MessageId> behind = producer.SendAsync(new byte[1]).AsTask();
        broker.ReleaseAcks();
        await flush.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.True(producer.LastSequence > 50 + (10_000_000 / (64 * 1024)), "the flush has not waited for what was in line");
        await Task.WhenAll([.. sends, large]).WaitAsync(TimeSpan.FromSeconds(60));
        await behind.WaitAsync(TimeSpan.FromSeconds(60));
        Task<MessageId> last = producer.SendAsync(new byte[10_000_000]).AsTask();
        await producer.DisposeAsync();
        Assert.Equal(broker.Topic("/t/w").End - 1, (await last.WaitAsync(TimeSpan.FromSeconds(60))).Offset);
    }

    [Fact]
    public async Task A_post_that_finds_room_at_the_second_look_does_not_keep_its_message()
    {
        using var broker = new FakeBroker { HoldAcks = true, MaxFrame = MaxFrame };
        var clock = new PostingClock();
        await using DanubeClient client = await DanubeClient.ConnectAsync(broker.Url, new DanubeClientOptions { TimeProvider = clock, CloseTimeout = TimeSpan.FromSeconds(2) });
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = "/t/w", MaxBatchBytes = 256, WindowBytes = 1024 });
        Assert.True(producer.TryPost(new byte[2000]));
        Assert.False(producer.TryPost(new byte[2000]));
        clock.BetweenTheLooks = () =>
        {
            broker.ReleaseAcks();
            Assert.True(SpinWait.SpinUntil(() => producer.LastSequence == 1, TimeSpan.FromSeconds(60)), "no room comes");
        };
        WeakReference payload = await Task.Run(() => PostLong(producer, clock)).WaitAsync(TimeSpan.FromMinutes(2));
        await producer.FlushAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(2, broker.Topic("/t/w").End);
        Assert.True(SpinWait.SpinUntil(() => IsCollected(payload), TimeSpan.FromSeconds(60)), "the operation still has the message");
    }

    [Fact]
    public async Task A_flush_in_line_fails_with_the_producer()
    {
        using var broker = new FakeBroker { HoldAcks = true };
        await using DanubeClient client = await DanubeClient.ConnectAsync(broker.Url, ProducerTests.Fast());
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = "/t/w", Name = "p", MaxBatchBytes = 256, WindowBytes = 1024 });
        Task<MessageId>[] sends = [.. Enumerable.Range(0, 50).Select(i => producer.SendAsync(new byte[60 + i]).AsTask())];
        Task flush = producer.FlushAsync().AsTask();
        await using Producer second = await client.CreateProducerAsync(new ProducerOptions { Topic = "/t/w", Name = "p" });
        Assert.Equal(ErrorCode.Fenced, (await Assert.ThrowsAsync<DanubeException>(() => flush.WaitAsync(TimeSpan.FromSeconds(60)))).Code);
        await Assert.ThrowsAsync<DanubeException>(() => sends[^1].WaitAsync(TimeSpan.FromSeconds(60)));
    }

    private static bool IsCollected(WeakReference reference)
    {
        GC.Collect();
        return !reference.IsAlive;
    }

    // Apart, so that no frame of the test has the payload.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference PostLong(Producer producer, PostingClock clock)
    {
        byte[] payload = new byte[MaxFrame - 1000];
        clock.Begin();
        ValueTask post = producer.PostAsync(new OutgoingMessage { Payload = payload, DeliverAt = DateTimeOffset.UnixEpoch.AddSeconds(1) });
        Assert.True(post.IsCompletedSuccessfully, "it waits in line");
        post.GetAwaiter().GetResult();
        Assert.Null(clock.BetweenTheLooks);
        return new WeakReference(payload);
    }

    /// <summary>
    /// A long message with a delivery time asks for the time whenever it is measured: first whether it must travel in chunks, then for the look
    /// for room, then again for chunks, and that is between the looks and outside of the producer's lock.
    /// </summary>
    private sealed class PostingClock : TimeProvider
    {
        private const int Between = 3;

        private int _thread, _calls;

        public Action? BetweenTheLooks { get; set; }

        public void Begin() => _thread = Environment.CurrentManagedThreadId;

        public override DateTimeOffset GetUtcNow()
        {
            if (Environment.CurrentManagedThreadId == _thread && ++_calls == Between)
            {
                BetweenTheLooks!();
                BetweenTheLooks = null;
            }

            return base.GetUtcNow();
        }
    }
}
