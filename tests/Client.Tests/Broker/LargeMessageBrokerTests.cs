using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Danube.Fast.Protocol;

namespace Danube.Fast.Client.Tests;

/// <summary>Large messages through the real broker.</summary>
[Collection(nameof(BrokerCollection))]
public sealed class LargeMessageBrokerTests(BrokerFixture broker) : IAsyncLifetime
{
    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(120);

    private readonly string _topic = broker.NewTopic();
    private DanubeClient _client = null!;

    public async Task InitializeAsync() => _client = await DanubeClient.ConnectAsync(broker.Url, ProducerTests.Fast());

    public async Task DisposeAsync() => await _client.DisposeAsync();

    [Fact]
    public async Task A_hundred_megabytes_arrive_byte_for_byte_while_another_producer_interleaves()
    {
        byte[] payload = new byte[100_000_000];
        new Random(1).NextBytes(payload);
        byte[] digest = SHA256.HashData(payload);
        await using Producer large = await _client.CreateProducerAsync(new ProducerOptions { Topic = _topic, Durability = "os", MaxMessageBytes = payload.Length });
        await using Producer small = await _client.CreateProducerAsync(new ProducerOptions { Topic = _topic, Durability = "os" });
        await using Consumer consumer = await _client.SubscribeAsync(new ConsumerOptions
        {
            Topic = _topic,
            Subscription = "s",
            Start = "earliest",
            Durability = "os",
            MaxChunkedBytes = payload.Length,
        });
        using var hang = new CancellationTokenSource(Hang);
        Task<MessageId> send = large.SendAsync(payload).AsTask();
        int sent = 0;
        Task interleave = Task.Run(async () =>
        {
            do
            {
                await small.SendAsync(Encoding.UTF8.GetBytes($"{sent++}"), hang.Token);
            }
            while (!send.IsCompleted);
        });
        int received = 0, before = 0;
        bool arrived = false;
        while (!arrived || !interleave.IsCompleted || received < sent)
        {
            Message message = await consumer.ReceiveAsync(hang.Token);
            if (message.Payload.Length == payload.Length)
            {
                Assert.Equal(digest, SHA256.HashData(message.Payload.Span));
                Assert.Equal(await send.WaitAsync(Hang), message.Id);
                Assert.False(message.HasKey);
                arrived = true;
                before = received;
            }
            else
            {
                Assert.Equal($"{received++}", Encoding.UTF8.GetString(message.Payload.Span));
            }

            consumer.Ack(message);
            if (arrived && received >= sent && !interleave.IsCompleted)
            {
                await interleave;
            }
        }

        Assert.True(before > 0, "nothing interleaved");
        await consumer.FlushAcksAsync();
        TopicInfo info = await _client.DescribeTopicAsync(_topic);
        Assert.Equal(0, Assert.Single(info.Subscriptions).Backlog);
        Assert.Equal(0, consumer.OrphanedChunks);
        Assert.True(info.CommittedEnd > sent + (payload.Length / _client.MaxFrame));
    }

    [Theory]
    [InlineData(SubscriptionType.Exclusive)]
    [InlineData(SubscriptionType.Shared)]
    public async Task A_large_message_given_back_comes_again_whole(SubscriptionType type)
    {
        byte[] payload = new byte[9_000_000];
        new Random(1).NextBytes(payload);
        await using Producer producer = await _client.CreateProducerAsync(new ProducerOptions { Topic = _topic, Durability = "os" });
        await using Consumer consumer = await _client.SubscribeAsync(new ConsumerOptions
        {
            Topic = _topic,
            Subscription = "s",
            Start = "earliest",
            Type = type,
            Durability = "os",
        });
        MessageId id = await producer.SendAsync(payload);
        await producer.SendAsync("behind"u8.ToArray());
        using var hang = new CancellationTokenSource(Hang);
        for (int attempt = 0; attempt < 3; attempt++)
        {
            Message message;
            while ((message = await consumer.ReceiveAsync(hang.Token)).Id != id)
            {
                consumer.Ack(message);
            }

            Assert.True(payload.AsSpan().SequenceEqual(message.Payload.Span));
            Assert.Equal(attempt, message.RedeliveryCount);
            if (attempt < 2)
            {
                consumer.Nack(message, TimeSpan.FromMilliseconds(20));
            }
            else
            {
                consumer.Ack(message);
            }
        }

        await consumer.FlushAcksAsync();
        await ProducerTests.Eventually(() => !consumer.TryReceive(out _));
        TopicInfo info = await _client.DescribeTopicAsync(_topic);
        Assert.Equal(0, Assert.Single(info.Subscriptions).Backlog);
        Assert.Equal(0, consumer.OrphanedChunks);
    }

    [Theory]
    [InlineData(SubscriptionType.Shared)]
    [InlineData(SubscriptionType.KeyShared)]
    [InlineData(SubscriptionType.Failover)]
    public async Task Large_messages_arrive_whole_while_consumers_come_go_and_give_back(SubscriptionType type)
    {
        const int Messages = 60;
        DanubeClientOptions options = new() { MaxFrame = ProtocolLimits.MaxFrameBeforeHello, ReconnectDelay = TimeSpan.FromMilliseconds(5) };
        await using DanubeClient client = await DanubeClient.ConnectAsync(broker.Url, options);
        var done = new ConcurrentDictionary<int, bool>();
        long orphans = 0;
        string? damaged = null;
        using var stop = new CancellationTokenSource(Hang);
        async Task Work(string name, int most)
        {
            await using Consumer consumer = await client.SubscribeAsync(new ConsumerOptions
            {
                Topic = _topic,
                Subscription = "s",
                Start = "earliest",
                Type = type,
                Name = name,
                Durability = "os",
                CreditBytes = 200_000,
            });
            try
            {
                for (int i = 0; i < most; i++)
                {
                    Message message = await consumer.ReceiveAsync(stop.Token);
                    int number = BitConverter.ToInt32(message.Payload.Span);
                    damaged = Content(number).AsSpan().SequenceEqual(message.Payload.Span) ? damaged : $"message {number} at {message.Id}";
                    if (i % 5 == 1 && message.RedeliveryCount < 2)
                    {
                        consumer.Nack(message, TimeSpan.FromMilliseconds(10));
                        continue;
                    }

                    await consumer.AckAsync(message.Id, stop.Token);
                    if (done.TryAdd(number, true) && done.Count == Messages)
                    {
                        await stop.CancelAsync();
                    }
                }
            }
            catch (OperationCanceledException)
            {
                // All is done, or it hangs.
            }

            Interlocked.Add(ref orphans, consumer.OrphanedChunks);
        }

        Task[] workers = [Work("a", int.MaxValue), Work("b", 7), Work("c", 12)];
        await Task.WhenAll(Enumerable.Range(0, 3).Select(async p =>
        {
            await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = _topic, Durability = "os" });
            for (int i = p; i < Messages; i += 3)
            {
                await producer.SendAsync(new OutgoingMessage { Payload = Content(i), Key = new[] { (byte)(i % 8) } }, stop.Token);
            }
        }));
        await Task.WhenAll([.. workers, Work("d", int.MaxValue)]).WaitAsync(Hang);
        Assert.Null(damaged);
        Assert.Equal(Messages, done.Count);
        Assert.Equal(0, orphans);

        static byte[] Content(int number)
        {
            // Some fit into a frame.
            byte[] bytes = new byte[10_000 + (number * 7000)];
            new Random(number).NextBytes(bytes);
            BitConverter.TryWriteBytes(bytes, number);
            return bytes;
        }
    }

    /// <summary>Rounds of messages with a cut each; by chance the cut may fall in any moment from the first chunk to behind the last.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task A_lost_connection_in_the_middle_of_a_large_message_costs_nothing(int seed)
    {
        const int Chunks = 77, Rounds = 5;
        var random = new Random(seed);
        byte[] payload = new byte[20_000_000];
        random.NextBytes(payload);
        using var proxy = new CuttingProxy(new Uri(broker.Url).Port);
        await using DanubeClient client = await DanubeClient.ConnectAsync($"127.0.0.1:{proxy.Port}", ProducerTests.Fast());
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = _topic, Durability = "os" });
        await using Consumer consumer = await client.SubscribeAsync(new ConsumerOptions { Topic = _topic, Subscription = "s", Start = "earliest" });
        using var hang = new CancellationTokenSource(Hang);
        for (int round = 0; round < Rounds; round++)
        {
            payload[0] = (byte)round;
            Task<MessageId> send = producer.SendAsync(payload).AsTask();
            Task<Message> receive = consumer.ReceiveAsync(hang.Token).AsTask();
            ulong cutAt = (ulong)((round * Chunks) + random.Next(Chunks));
            await ProducerTests.Eventually(() => producer.LastSequence > cutAt);
            proxy.Cut();
            MessageId id = await send.WaitAsync(hang.Token);
            Message message = await receive;

            // Nothing else: what was acknowledged does not come again.
            Assert.Equal(id, message.Id);
            Assert.True(payload.AsSpan().SequenceEqual(message.Payload.Span));
            await consumer.AckAsync(message.Id, hang.Token);
        }

        // A message acknowledged when the connection was gone already comes again inside these calls, and is answered there.
        TopicInfo info = await _client.DescribeTopicAsync(_topic);
        while (Assert.Single(info.Subscriptions).Backlog > 0)
        {
            Assert.False(consumer.TryReceive(out _));
            await Task.Delay(20, hang.Token);
            info = await _client.DescribeTopicAsync(_topic);
        }

        Assert.Equal(0, consumer.OrphanedChunks);
        Assert.Equal(Rounds * Chunks, info.CommittedEnd);
        Assert.Equal((ulong)info.CommittedEnd, producer.LastSequence);
    }
}
