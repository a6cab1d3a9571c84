using System.Collections.Concurrent;
using System.Text;
using Danube.Fast.Protocol;

namespace Danube.Fast.Client.Tests;

/// <summary>Failover and key-shared subscriptions over partitioned topics, redelivery policies, delays: the client against the real broker.</summary>
[Collection(nameof(BrokerCollection))]
public sealed class SubscriptionTypeTests(BrokerFixture broker) : IAsyncLifetime
{
    private const int Partitions = 3;
    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(180);

    private readonly string _topic = broker.NewTopic();
    private readonly CancellationTokenSource _hang = new(Hang);
    private DanubeClient _client = null!;

    public async Task InitializeAsync() => _client = await DanubeClient.ConnectAsync(broker.Url, ProducerTests.Fast());

    public async Task DisposeAsync()
    {
        await _client.DisposeAsync();
        _hang.Dispose();
    }

    private Task Partition() => _client.CreateTopicAsync(new TopicSpec { Topic = _topic, Partitions = Partitions, Durability = "os" });

    private Task<Consumer> Subscribe(SubscriptionType type, string name, int priority = 0, RedeliveryPolicy? policy = null) => _client.SubscribeAsync(new ConsumerOptions
    {
        Topic = _topic,
        Subscription = "s",
        Start = "earliest",
        Type = type,
        Name = name,
        Priority = priority,
        Policy = policy,
        Durability = "os",
        CreditRecords = 100,
    });

    private async Task Send(int from, int count, int keys = 20, bool byKey = false)
    {
        await using Producer producer = await _client.CreateProducerAsync(new ProducerOptions { Topic = _topic, Durability = "os", BatchByKey = byKey });
        for (int i = from; i < from + count; i++)
        {
            await producer.PostAsync(new OutgoingMessage { Key = Encoding.UTF8.GetBytes($"k{i % keys}"), Payload = Encoding.UTF8.GetBytes($"{i}") });
        }

        await producer.FlushAsync();
    }

    private async Task<int> Receive(Consumer consumer, bool ack = true)
    {
        Message message = await consumer.ReceiveAsync(_hang.Token);
        int number = int.Parse(message.Payload.Span, null);
        if (ack)
        {
            consumer.Ack(message);
        }

        return number;
    }

    [Fact]
    public async Task The_consumer_with_the_highest_priority_has_all_partitions_and_the_next_takes_over()
    {
        await Partition();
        await using Consumer low = await Subscribe(SubscriptionType.Failover, "low");
        Consumer high = await Subscribe(SubscriptionType.Failover, "high", priority: 10);
        await Send(0, 300);
        var seen = new HashSet<int>();
        for (int i = 0; i < 300; i++)
        {
            Assert.True(seen.Add(await Receive(high)));
        }

        Assert.False(low.TryReceive(out _));
        await high.FlushAcksAsync();
        await Send(300, 30);
        for (int i = 0; i < 10; i++)
        {
            await Receive(high, ack: false);
        }

        await high.DisposeAsync();
        var rest = new HashSet<int>();
        while (rest.Count < 30)
        {
            rest.Add(await Receive(low));
        }

        Assert.Equal(Enumerable.Range(300, 30), rest.Order());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Keys_keep_their_order_over_partitions_while_consumers_come_and_go(bool byKey)
    {
        const int Count = 6000, Keys = 40;
        await Partition();
        var last = new ConcurrentDictionary<int, int>();
        int done = 0;
        string? wrong = null;
        using var stop = new CancellationTokenSource();
        async Task Work(string name, int most)
        {
            await using Consumer consumer = await Subscribe(SubscriptionType.KeyShared, name);
            try
            {
                for (int i = 0; i < most; i++)
                {
                    Message message = await consumer.ReceiveAsync(stop.Token);
                    int number = int.Parse(message.Payload.Span, null);
                    int former = last.GetValueOrDefault(number % Keys, -Keys + (number % Keys));
                    if (number == former + Keys)
                    {
                        last[number % Keys] = number;
                        if (Interlocked.Increment(ref done) == Count)
                        {
                            await stop.CancelAsync();
                        }
                    }
                    else if (number > former)
                    {
                        wrong ??= $"{number} behind {former}";
                    }

                    consumer.Ack(message);
                }
            }
            catch (OperationCanceledException)
            {
                // All is done.
            }
        }

        Task first = Work("a", int.MaxValue);
        Task second = Work("b", 1000);
        Task send = Send(0, Count, Keys, byKey);
        await second.WaitAsync(Hang);
        Task third = Work("c", int.MaxValue);
        await Task.WhenAll(first, third, send).WaitAsync(Hang);
        Assert.Null(wrong);
        Assert.Equal(Count, done);
    }

    [Fact]
    public async Task A_message_that_is_given_back_too_often_becomes_a_dead_letter()
    {
        var policy = new RedeliveryPolicy { MaxRedeliveries = 2, FailureAction = FailureAction.DeadLetter, DeadLetterTopic = _topic + "-dead", BackOffMin = TimeSpan.FromMilliseconds(20) };
        await using Consumer consumer = await Subscribe(SubscriptionType.Shared, "c", policy: policy);
        await using Consumer dead = await _client.SubscribeAsync(new ConsumerOptions { Topic = _topic + "-dead", Subscription = "d", Start = "earliest" });
        await Send(7, 1);
        for (int attempt = 0; attempt < 3; attempt++)
        {
            Message message = await consumer.ReceiveAsync(_hang.Token);
            Assert.Equal(attempt, message.RedeliveryCount);
            consumer.Nack(message);
        }

        Message letter = await dead.ReceiveAsync(_hang.Token);
        Assert.Equal("7", Encoding.UTF8.GetString(letter.Payload.Span));
        Assert.Equal("k7", Encoding.UTF8.GetString(letter.Key.Span));
        var attributes = letter.Attributes.ToArray().ToDictionary();
        Assert.Equal(_topic, attributes[DeadLetterAttributes.SourceTopic]);
        Assert.Equal("s", attributes[DeadLetterAttributes.Subscription]);
        Assert.Equal("0", attributes[DeadLetterAttributes.Offset]);
        Assert.True(attributes.ContainsKey(DeadLetterAttributes.Generation));
        Assert.True(attributes.ContainsKey(DeadLetterAttributes.Reason));
        Assert.Equal("3", attributes[DeadLetterAttributes.Deliveries]);
        SubscriptionDetails details = await _client.DescribeSubscriptionAsync(_topic, "s", _hang.Token);
        Assert.Equal("dead_letter", details.Policy.FailurePolicy);
        Assert.Equal(2, details.Policy.MaxRedeliveries);
    }

    [Fact]
    public async Task A_delayed_message_comes_after_later_ones_and_an_expired_one_never()
    {
        await using Consumer consumer = await Subscribe(SubscriptionType.Exclusive, "c");
        await using Producer producer = await _client.CreateProducerAsync(new ProducerOptions { Topic = _topic, Durability = "os" });
        await producer.SendAsync(new OutgoingMessage { Payload = "1"u8.ToArray(), Delay = TimeSpan.FromDays(1) });
        await producer.SendAsync(new OutgoingMessage { Payload = "2"u8.ToArray(), Delay = TimeSpan.FromSeconds(1.2), TimeToLive = TimeSpan.FromSeconds(1) });
        await producer.SendAsync(new OutgoingMessage { Payload = "3"u8.ToArray(), Delay = TimeSpan.FromSeconds(1.5) });
        await producer.SendAsync("4"u8.ToArray());

        // In whatever order: a slow machine may take as long as the delay.
        int[] both = [await Receive(consumer), await Receive(consumer)];
        Assert.Equal([3, 4], both.Order());
        await consumer.FlushAcksAsync();
        await ProducerTests.Eventually(() => _client.DescribeSubscriptionAsync(_topic, "s").GetAwaiter().GetResult().Subscription.Backlog == 1);
        Assert.False(consumer.TryReceive(out _));
    }

    [Fact]
    public async Task A_reader_gives_a_delayed_message_out_when_it_is_due()
    {
        await using Producer producer = await _client.CreateProducerAsync(new ProducerOptions { Topic = _topic, Durability = "os" });
        await producer.SendAsync(new OutgoingMessage { Payload = "late"u8.ToArray(), Delay = TimeSpan.FromSeconds(1) });
        await producer.SendAsync("soon"u8.ToArray());
        await using Reader reader = await _client.CreateReaderAsync(new ReaderOptions { Topic = _topic });

        // In whatever order: a slow machine may take as long as the delay.
        long first = (await reader.ReceiveAsync(_hang.Token)).Offset;
        Assert.False(await reader.HasReachedEndAsync(_hang.Token));
        Assert.Equal(1, first + (await reader.ReceiveAsync(_hang.Token)).Offset);
        Assert.True(await reader.HasReachedEndAsync(_hang.Token));
    }
}
