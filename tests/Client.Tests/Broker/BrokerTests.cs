using System.Text;
using Danube.Fast.Protocol;

namespace Danube.Fast.Client.Tests;

/// <summary>The client against the real broker.</summary>
[Collection(nameof(BrokerCollection))]
public sealed partial class BrokerTests(BrokerFixture broker) : IAsyncLifetime
{
    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(60);

    private readonly string _topic = broker.NewTopic();
    private DanubeClient _client = null!;

    public async Task InitializeAsync() => _client = await DanubeClient.ConnectAsync(broker.Url, ProducerTests.Fast());

    public async Task DisposeAsync() => await _client.DisposeAsync();

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static string Text(in Message message) => Encoding.UTF8.GetString(message.Payload.Span);

    private Task<Producer> Produce(string? name = null, Codec codec = Codec.None, string durability = "os", int perBatch = 65_536) =>
        _client.CreateProducerAsync(new ProducerOptions { Topic = _topic, Name = name, Compression = codec, Durability = durability, MaxBatchRecords = perBatch });

    private Task<Consumer> Subscribe(
        string subscription = "s", SubscriptionType type = SubscriptionType.Exclusive, string start = "earliest", string? name = null, int credit = 10_000, DanubeClient? client = null) =>
        (client ?? _client).SubscribeAsync(new ConsumerOptions
        {
            Topic = _topic,
            Subscription = subscription,
            Type = type,
            Start = start,
            Name = name,
            CreditRecords = credit,
            Durability = "os",
        });

    private async Task Fill(int count, int from = 0)
    {
        await using Producer producer = await Produce();
        for (int i = from; i < from + count; i++)
        {
            await producer.PostAsync(Bytes($"m{i}"));
        }

        await producer.FlushAsync();
    }

    private static async Task<List<string>> Take(Consumer consumer, int count, bool ack = true)
    {
        using var hang = new CancellationTokenSource(Hang);
        var all = new List<string>();
        while (all.Count < count)
        {
            Message message = await consumer.ReceiveAsync(hang.Token);
            all.Add(Text(message));
            if (ack)
            {
                consumer.Ack(message);
            }
        }

        return all;
    }

    private static IEnumerable<string> Range(int from, int count) => Enumerable.Range(from, count).Select(i => $"m{i}");

    [Theory]
    [InlineData("memory", Codec.None)]
    [InlineData("os", Codec.Brotli)]
    [InlineData("fsync", Codec.Deflate)]
    public async Task What_is_sent_arrives_once_in_order_with_the_ids_of_the_acknowledgements(string durability, Codec codec)
    {
        await using Producer producer = await Produce(codec: codec, durability: durability);
        await using Consumer consumer = await Subscribe();
        Task<MessageId>[] sends = [.. Enumerable.Range(0, 20_000).Select(i => producer.SendAsync(Bytes($"m{i}")).AsTask())];
        for (int i = 0; i < sends.Length; i++)
        {
            using var hang = new CancellationTokenSource(Hang);
            Message message = await consumer.ReceiveAsync(hang.Token);
            Assert.Equal($"m{i}", Text(message));
            Assert.Equal(i, message.Offset);
            Assert.Equal(await sends[i].WaitAsync(Hang), message.Id);
            consumer.Ack(message);
        }

        await consumer.FlushAcksAsync();
        TopicInfo info = await _client.DescribeTopicAsync(_topic);
        Assert.Equal(0, Assert.Single(info.Subscriptions).Backlog);
        Assert.Equal(20_000, info.CommittedEnd);
        Assert.Equal(durability, info.Durability);
    }

    [Fact]
    public async Task Every_part_of_a_message_makes_the_round_trip()
    {
        await using Producer producer = await Produce(codec: Codec.Brotli);
        await using Consumer consumer = await Subscribe();
        var sent = new OutgoingMessage
        {
            Payload = new byte[10_000],
            Key = Bytes("key"),
            Attributes = new(new("a", "b"), new("c", "")),
            EventTime = new DateTimeOffset(2024, 2, 29, 1, 2, 3, TimeSpan.Zero),
        };
        MessageId id = await producer.SendAsync(sent);
        OwnedMessage message = (await consumer.ReceiveAsync()).ToOwned();
        Assert.Equal(id, message.Id);
        Assert.True(message.Payload.Span.SequenceEqual(sent.Payload.Span));
        Assert.Equal("key", Encoding.UTF8.GetString(message.Key.Span));
        Assert.Equal(sent.Attributes.ToArray(), message.Attributes.ToArray());
        Assert.Equal(sent.EventTime, message.EventTime);
        Assert.True(message.AppendTime >= message.PublishTime.AddSeconds(-1));
    }

    [Fact]
    public async Task Many_producers_on_one_topic_each_keep_their_order()
    {
        const int Producers = 8, Each = 3000;
        Task[] writers = [.. Enumerable.Range(0, Producers).Select(async p =>
        {
            await using Producer producer = await Produce($"p{p}");
            for (int i = 0; i < Each; i++)
            {
                await producer.PostAsync(Bytes($"{p}:{i}"));
            }

            await producer.FlushAsync();
        })];
        await using Consumer consumer = await Subscribe();
        var next = new int[Producers];
        foreach (string text in await Take(consumer, Producers * Each))
        {
            string[] parts = text.Split(':');
            int p = int.Parse(parts[0], null);
            Assert.Equal(next[p]++, int.Parse(parts[1], null));
        }

        await Task.WhenAll(writers);
        Assert.False(consumer.TryReceive(out _));
    }

    [Fact]
    public async Task A_producer_continues_under_its_name()
    {
        await using (Producer first = await Produce("p"))
        {
            await first.SendAsync(Bytes("a"));
            await first.SendAsync(Bytes("b"));
        }

        await using Producer second = await Produce("p");
        Assert.Equal(2ul, second.LastSequence);
        Assert.Equal(2, (await second.SendAsync(Bytes("c"))).Offset);
    }

    [Fact]
    public async Task The_last_one_of_a_name_wins()
    {
        await using Producer first = await Produce("p");
        await first.SendAsync(Bytes("a"));
        await using DanubeClient other = await DanubeClient.ConnectAsync(broker.Url);
        await using Producer second = await other.CreateProducerAsync(new ProducerOptions { Topic = _topic, Name = "p" });
        await second.SendAsync(Bytes("b"));
        await ProducerTests.Eventually(() => Xunit.Record.Exception(() => first.TryPost(Bytes("c"))) is DanubeException { Code: ErrorCode.Fenced });
    }

    [Fact]
    public async Task Exclusive_is_busy_for_another_name_and_taken_over_by_the_same()
    {
        await Fill(10);
        await using Consumer first = await Subscribe(name: "a");
        await Take(first, 3);
        DanubeException busy = await Assert.ThrowsAsync<DanubeException>(() => Subscribe(name: "b"));
        Assert.Equal(ErrorCode.SubscriptionBusy, busy.Code);
        await first.FlushAcksAsync();
        await using DanubeClient other = await DanubeClient.ConnectAsync(broker.Url);
        await using Consumer second = await Subscribe(name: "a", client: other);
        Assert.Equal(Range(3, 7), await Take(second, 7));
        DanubeException fenced = await Assert.ThrowsAsync<DanubeException>(() => Take(first, 10));
        Assert.Equal(ErrorCode.Fenced, fenced.Code);
    }

    [Fact]
    public async Task A_disposed_consumer_makes_room_at_once()
    {
        await Fill(10);
        await using (Consumer first = await Subscribe(name: "a"))
        {
            await Take(first, 4);
        }

        await using Consumer second = await Subscribe(name: "b");
        Assert.Equal(Range(4, 6), await Take(second, 6));
    }

    [Fact]
    public async Task Topics_are_created_listed_described_and_deleted()
    {
        await _client.CreateTopicAsync(new TopicSpec { Topic = _topic, Durability = "fsync" });
        DanubeException exists = await Assert.ThrowsAsync<DanubeException>(() => _client.CreateTopicAsync(new TopicSpec { Topic = _topic, Durability = "os" }));
        Assert.Equal(ErrorCode.TopicExists, exists.Code);
        Assert.Contains(await _client.ListTopicsAsync("client"), t => t.Topic == _topic);
        Assert.Equal("fsync", (await _client.DescribeTopicAsync(_topic)).Durability);
        await using (await Subscribe())
        {
        }

        await _client.UnsubscribeAsync(_topic, "s");
        Assert.Empty((await _client.DescribeTopicAsync(_topic)).Subscriptions);
        await using Producer producer = await Produce();
        await producer.SendAsync(Bytes("x"));
        await _client.DeleteTopicAsync(_topic);
        await ProducerTests.Eventually(() => Xunit.Record.Exception(() => producer.TryPost(Bytes("y"))) is DanubeException { Code: ErrorCode.TopicDeleted });
        DanubeException gone = await Assert.ThrowsAsync<DanubeException>(() => _client.DescribeTopicAsync(_topic));
        Assert.Equal(ErrorCode.TopicNotFound, gone.Code);
        Assert.True(await _client.PingAsync() > TimeSpan.Zero);
    }

    [Fact]
    public async Task Large_messages_pass()
    {
        await using Producer producer = await Produce();
        await using Consumer consumer = await Subscribe();
        var random = new Random(3);
        for (int i = 0; i < 5; i++)
        {
            byte[] payload = new byte[1_500_000 * (i + 1)];
            random.NextBytes(payload);
            await producer.SendAsync(payload);
            Message message = await consumer.ReceiveAsync();
            Assert.True(message.Payload.Span.SequenceEqual(payload));
            consumer.Ack(message);
        }
    }
}
