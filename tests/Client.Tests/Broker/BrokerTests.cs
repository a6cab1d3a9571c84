using System.Text;
using Danube.Fast.Protocol;

namespace Danube.Fast.Client.Tests;

/// <summary>The client against the real broker.</summary>
[Collection(nameof(BrokerCollection))]
public sealed class BrokerTests(BrokerFixture broker) : IAsyncLifetime
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
    public async Task Seeks_move_to_ends_offsets_and_times()
    {
        await Fill(50);
        await Task.Delay(20);
        long middle = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() * 1000;
        await Task.Delay(20);
        await Fill(50, from: 50);
        await using Consumer consumer = await Subscribe();
        Assert.Equal(Range(0, 100), await Take(consumer, 100));
        await consumer.SeekAsync("offset:30");
        Assert.Equal(Range(30, 5), await Take(consumer, 5));
        await consumer.SeekAsync($"time:{middle}");
        Assert.Equal(Range(50, 5), await Take(consumer, 5));
        await consumer.SeekAsync("earliest");
        Assert.Equal(Range(0, 5), await Take(consumer, 5));
        await consumer.SeekAsync("latest");
        Assert.False(consumer.TryReceive(out _));
        await Fill(1, from: 100);
        Assert.Equal(["m100"], await Take(consumer, 1));
        DanubeException bad = await Assert.ThrowsAsync<DanubeException>(async () => await consumer.SeekAsync("sideways"));
        Assert.Equal(ErrorCode.BadRequest, bad.Code);
    }

    [Theory]
    [InlineData("latest", 20)]
    [InlineData("offset:7", 7)]
    [InlineData("earliest", 0)]
    public async Task A_new_subscription_starts_where_it_is_told(string start, int first)
    {
        await Fill(20);
        await using Consumer consumer = await Subscribe(start: start);
        Assert.Equal(first, consumer.StartOffset);
        Assert.Equal(20, consumer.DurableEnd);
        await Fill(1, from: 20);
        Assert.Equal($"m{first}", (await Take(consumer, 1))[0]);
    }

    [Fact]
    public async Task Shared_consumers_split_the_work_and_lose_nothing()
    {
        await using Consumer one = await Subscribe(type: SubscriptionType.Shared, credit: 20);
        await using Consumer two = await Subscribe(type: SubscriptionType.Shared, credit: 20);
        await using Producer producer = await Produce(perBatch: 5);
        for (int i = 0; i < 1000; i++)
        {
            await producer.PostAsync(Bytes($"m{i}"));
        }

        await producer.FlushAsync();
        using var done = new CancellationTokenSource(Hang);
        var seen = new HashSet<string>();
        Task<int>[] workers = [Work(one), Work(two)];
        int[] counts = await Task.WhenAll(workers);
        Assert.Equal(1000, counts.Sum());
        Assert.Equal(1000, seen.Count);
        Assert.All(counts, c => Assert.InRange(c, 100, 900));

        async Task<int> Work(Consumer consumer)
        {
            int count = 0;
            try
            {
                await foreach (Message message in consumer.ReadAllAsync(done.Token))
                {
                    consumer.Ack(message);
                    count++;
                    lock (seen)
                    {
                        seen.Add(Text(message));
                        if (seen.Count == 1000)
                        {
                            done.Cancel();
                        }
                    }
                }
            }
            catch (OperationCanceledException)
            {
                // All are there.
            }

            return count;
        }
    }

    [Fact]
    public async Task What_a_shared_consumer_leaves_behind_comes_to_the_other_one()
    {
        await Fill(100);
        Consumer one = await Subscribe(type: SubscriptionType.Shared);
        Assert.Equal(Range(0, 100), await Take(one, 100, ack: false));
        await using Consumer two = await Subscribe(type: SubscriptionType.Shared);
        Assert.False(two.TryReceive(out _));
        await one.DisposeAsync();
        using var hang = new CancellationTokenSource(Hang);
        for (int i = 0; i < 100; i++)
        {
            Message message = await two.ReceiveAsync(hang.Token);
            Assert.Equal($"m{i}", Text(message));
            Assert.Equal(1, message.RedeliveryCount);
            two.Ack(message);
        }
    }

    [Fact]
    public async Task A_nacked_message_comes_again_and_counts_up()
    {
        await Fill(3);
        await using Consumer consumer = await Subscribe(type: SubscriptionType.Shared);
        using var hang = new CancellationTokenSource(Hang);
        Message first = await consumer.ReceiveAsync(hang.Token);
        Assert.Equal("m0", Text(first));
        consumer.Nack(first, TimeSpan.FromMilliseconds(30));
        Assert.Equal(["m1", "m2"], await Take(consumer, 2));
        Message again = await consumer.ReceiveAsync(hang.Token);
        Assert.Equal("m0", Text(again));
        Assert.Equal(1, again.RedeliveryCount);
    }

    [Fact]
    public async Task Acknowledgements_in_any_order_are_kept_for_the_next_consumer()
    {
        await Fill(20);
        await using (Consumer consumer = await Subscribe())
        {
            for (int i = 0; i < 20; i++)
            {
                Message message = await consumer.ReceiveAsync();
                if (i is 0 or 1 or 5 or 6 or 19)
                {
                    consumer.Ack(message.Id);
                }
            }
        }

        await using (Consumer consumer = await Subscribe())
        {
            Assert.Equal(Range(2, 17).Where(t => t is not ("m5" or "m6")), await Take(consumer, 15, ack: false));
            consumer.AckCumulative(new MessageId(0, 0, 18));
        }

        await using Consumer last = await Subscribe();
        Assert.False(last.TryReceive(out _));
        Assert.Equal(20, last.StartOffset);
    }

    [Fact]
    public async Task Partitioned_topics_keep_keys_together_and_are_read_as_a_whole()
    {
        await _client.CreateTopicAsync(new TopicSpec { Topic = _topic, Partitions = 3, Durability = "os" });
        await using Producer producer = await Produce();
        Assert.Equal(3, producer.PartitionCount);
        await using Consumer consumer = await Subscribe();
        for (int i = 0; i < 900; i++)
        {
            await producer.PostAsync(new OutgoingMessage { Payload = Bytes($"{i}"), Key = Bytes($"k{i % 30}") });
        }

        await producer.FlushAsync();
        var partitionOf = new Dictionary<string, int>();
        var last = new Dictionary<string, int>();
        for (int i = 0; i < 900; i++)
        {
            Message message = await consumer.ReceiveAsync();
            string key = Encoding.UTF8.GetString(message.Key.Span);
            int number = int.Parse(Text(message), null);
            Assert.Equal(partitionOf.GetValueOrDefault(key, message.Id.Partition), message.Id.Partition);
            Assert.True(number > last.GetValueOrDefault(key, -1));
            partitionOf[key] = message.Id.Partition;
            last[key] = number;
            consumer.Ack(message);
        }

        Assert.Equal(3, partitionOf.Values.Distinct().Count());
        await consumer.SeekAsync("earliest");
        Assert.Equal(900, (await Take(consumer, 900)).Distinct().Count());
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
