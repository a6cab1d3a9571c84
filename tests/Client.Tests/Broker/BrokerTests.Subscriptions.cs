using System.Text;
using Danube.Fast.Protocol;

namespace Danube.Fast.Client.Tests;

// Where subscriptions begin, how consumers share them.
public sealed partial class BrokerTests
{
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

        // The first frames go round until both have used up their credit; how the rest is shared is up to who is quick.
        Assert.All(counts, c => Assert.InRange(c, 20, 980));

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
}
