using System.Text;
using Danube.Fast.Protocol;

namespace Danube.Fast.Client.Tests;

/// <summary>Topics on several brokers: the client finds them, and follows when they move.</summary>
public sealed class ClusterTests : IDisposable
{
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(90);

    private readonly FakeCluster _cluster = new(3);

    public void Dispose() => _cluster.Dispose();

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static string Text(Message message) => Encoding.UTF8.GetString(message.Payload.Span);

    [Fact]
    public async Task A_producer_and_a_consumer_find_the_broker_of_their_topic()
    {
        _cluster.Place("/t/two", 2);
        await using DanubeClient client = await DanubeClient.ConnectAsync(_cluster.Brokers[0].Url, ProducerTests.Fast());
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = "/t/two" });
        await using Consumer consumer = await client.SubscribeAsync(new ConsumerOptions { Topic = "/t/two", Subscription = "s", Start = "earliest" });
        await producer.SendAsync(Bytes("m"));
        Assert.Equal("m", Text(await consumer.ReceiveAsync().AsTask().WaitAsync(Guard)));
        Assert.Equal(["m"], _cluster.Brokers[2].Topic("/t/two").Payloads());
        await consumer.SeekAsync("earliest");
        Assert.Equal("m", Text(await consumer.ReceiveAsync().AsTask().WaitAsync(Guard)));
    }

    [Fact]
    public async Task Partitions_may_be_anywhere()
    {
        foreach (FakeBroker broker in _cluster.Brokers)
        {
            broker.Partitioned["/t/p"] = 3;
        }

        for (int i = 0; i < 3; i++)
        {
            _cluster.Place($"/t/p-part-{i}", i);
        }

        await using DanubeClient client = await DanubeClient.ConnectAsync(_cluster.Brokers[1].Url, ProducerTests.Fast());
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = "/t/p" });
        MessageId[] ids = await Task.WhenAll(Enumerable.Range(0, 60).Select(i => producer.SendAsync(new OutgoingMessage { Payload = Bytes($"{i}"), Key = Bytes($"k{i}") }).AsTask())).WaitAsync(Guard);
        Assert.Equal([0, 1, 2], ids.Select(i => i.Partition).Distinct().Order());
        Assert.Equal(60, Enumerable.Range(0, 3).Sum(i => _cluster.Brokers[i].Topic($"/t/p-part-{i}").Payloads().Count));
    }

    [Fact]
    public async Task A_topic_that_is_given_away_takes_its_producer_and_its_consumer_along()
    {
        const string Topic = "/t/moves";
        await using DanubeClient client = await DanubeClient.ConnectAsync(_cluster.Brokers[0].Url, ProducerTests.Fast());
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = Topic, Name = "p" });
        await using Consumer consumer = await client.SubscribeAsync(new ConsumerOptions { Topic = Topic, Subscription = "s", Start = "earliest" });
        var sent = new List<Task<MessageId>>();
        for (int owner = 1; owner <= 6; owner++)
        {
            for (int i = 0; i < 100; i++)
            {
                sent.Add(producer.SendAsync(Bytes($"{sent.Count}")).AsTask());
            }

            FakeBroker former = _cluster.Brokers[(owner - 1) % 3];
            _cluster.Place(Topic, owner % 3);
            former.CloseChannels(ErrorCode.NotOwner);
        }

        await Task.WhenAll(sent).WaitAsync(Guard);

        // Every message is at one broker, once, and the consumer stands at the last one.
        List<string> stored = [.. _cluster.Brokers.SelectMany(b => b.Topic(Topic).Payloads())];
        Assert.Equal(Enumerable.Range(0, sent.Count), stored.Select(int.Parse).Order());
        await producer.SendAsync(Bytes("end"));
        while (Text(await consumer.ReceiveAsync().AsTask().WaitAsync(Guard)) != "end")
        {
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task When_its_broker_dies_a_topic_is_looked_up_at_the_others(bool named)
    {
        using var cluster = new FakeCluster(3, named);
        const string Topic = "/t/dies";
        string seeds = named ? cluster.Brokers[0].Url : $"{cluster.Brokers[0].Url},{cluster.Brokers[1].Url}";
        await using DanubeClient client = await DanubeClient.ConnectAsync(seeds, ProducerTests.Fast());
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = Topic, SendTimeout = Guard });
        await using Consumer consumer = await client.SubscribeAsync(new ConsumerOptions { Topic = Topic, Subscription = "s", Start = "earliest" });
        await producer.SendAsync(Bytes("before"));

        // For a while nobody serves it.
        cluster.Place(Topic, -1);
        cluster.Brokers[0].Suspend();
        Task<MessageId> waiting = producer.SendAsync(Bytes("after")).AsTask();
        await UntilAsync(() => cluster.Lookups.Count > 2);
        Assert.False(waiting.IsCompleted);
        cluster.Place(Topic, 1);
        await waiting.WaitAsync(Guard);
        Assert.Equal(["after"], cluster.Brokers[1].Topic(Topic).Payloads());
        while (Text(await consumer.ReceiveAsync().AsTask().WaitAsync(Guard)) != "after")
        {
        }

        // Requests go elsewhere too, also when a broker still names the dead one; and brokers hear which revision the client has seen.
        Task creating = client.CreateTopicAsync(new TopicSpec { Topic = "/t/new" });
        await Task.Delay(50);
        cluster.Default = 1;
        await creating.WaitAsync(Guard);
        Assert.Contains(cluster.Lookups, l => l.Revision > 0);
    }

    [Fact]
    public async Task A_client_connects_to_whichever_broker_is_there()
    {
        _cluster.Brokers[0].Suspend();
        await using DanubeClient client = await DanubeClient.ConnectAsync($"{_cluster.Brokers[0].Url},{_cluster.Brokers[1].Url}", ProducerTests.Fast());
        Assert.Equal(_cluster.Brokers[1].Url, client.Url);
        _cluster.Default = 1;
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = "/t/a" });
        await producer.SendAsync(Bytes("m")).AsTask().WaitAsync(Guard);
    }

    [Fact]
    public async Task A_topic_that_nobody_serves_yet_is_waited_for()
    {
        _cluster.Place("/t/soon", -1);
        await using DanubeClient client = await DanubeClient.ConnectAsync(_cluster.Brokers[0].Url, ProducerTests.Fast());
        Task<Producer> creating = client.CreateProducerAsync(new ProducerOptions { Topic = "/t/soon" });
        Task describing = client.DescribeTopicAsync("/t/soon");
        await Task.Delay(50);
        Assert.False(creating.IsCompleted);
        Assert.False(describing.IsCompleted);
        _cluster.Place("/t/soon", 1);
        await using Producer producer = await creating.WaitAsync(Guard);
        await describing.WaitAsync(Guard);
        await producer.SendAsync(Bytes("m")).AsTask().WaitAsync(Guard);
        Assert.Equal(["m"], _cluster.Brokers[1].Topic("/t/soon").Payloads());
    }

    [Fact]
    public async Task A_topic_whose_broker_is_away_is_an_error_at_first_and_waited_for_later()
    {
        const string Topic = "/t/waits";
        await using DanubeClient client = await DanubeClient.ConnectAsync(_cluster.Brokers[0].Url, ProducerTests.Fast());
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = Topic, SendTimeout = Guard });
        _cluster.WhenNobody = ErrorCode.TopicWaiting;
        _cluster.Place(Topic, -1);
        _cluster.Brokers[0].CloseChannels(ErrorCode.NotOwner);
        DanubeException error = await Assert.ThrowsAsync<DanubeException>(() => client.SubscribeAsync(new ConsumerOptions { Topic = Topic, Subscription = "s" }));
        Assert.Equal(ErrorCode.TopicWaiting, error.Code);
        Assert.True(error.Retryable);
        Task<MessageId> waiting = producer.SendAsync(Bytes("m")).AsTask();
        _cluster.Place(Topic, 0);
        await waiting.WaitAsync(Guard);
    }

    [Fact]
    public async Task A_broker_that_has_lost_its_proof_sends_nobody_anywhere_so_the_others_are_asked()
    {
        const string Topic = "/t/unproven";
        await using DanubeClient client = await DanubeClient.ConnectAsync(_cluster.Brokers[0].Url, ProducerTests.Fast());
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = Topic, SendTimeout = Guard });
        _cluster.Brokers[0].OnTopic = _ => (ErrorCode.OwnerUnproven, new RedirectPayload { RetryMs = 5 });
        _cluster.Place(Topic, 2);
        _cluster.Brokers[0].CloseChannels(ErrorCode.OwnerUnproven);
        await producer.SendAsync(Bytes("m")).AsTask().WaitAsync(Guard);
        Assert.Equal(["m"], _cluster.Brokers[2].Topic(Topic).Payloads());
    }

    [Fact]
    public async Task Brokers_that_send_the_client_in_a_circle_are_asked_again_with_pauses()
    {
        const string Topic = "/t/circle";
        int asked = 0;
        await using DanubeClient client = await DanubeClient.ConnectAsync(_cluster.Brokers[0].Url, new DanubeClientOptions
        {
            ReconnectDelay = TimeSpan.FromMilliseconds(5),
            MaxReconnectDelay = TimeSpan.FromMilliseconds(50),
            RequestTimeout = TimeSpan.FromSeconds(3),
        });
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = Topic, SendTimeout = Guard });
        Func<string, (ErrorCode, RedirectPayload)?> first = _cluster.Brokers[0].OnTopic!, second = _cluster.Brokers[1].OnTopic!;
        _cluster.Brokers[0].OnTopic = _ => Send(1);
        _cluster.Brokers[1].OnTopic = _ => Send(0);
        _cluster.Brokers[0].CloseChannels(ErrorCode.NotOwner);
        DanubeException error = await Assert.ThrowsAsync<DanubeException>(() => client.SubscribeAsync(new ConsumerOptions { Topic = Topic, Subscription = "s" }));
        Assert.Equal(ErrorCode.NotOwner, error.Code);
        await UntilAsync(() => Volatile.Read(ref asked) > 20);
        _cluster.Brokers[0].OnTopic = first;
        _cluster.Brokers[1].OnTopic = second;
        await producer.SendAsync(Bytes("m")).AsTask().WaitAsync(Guard);

        (ErrorCode, RedirectPayload)? Send(int to)
        {
            Interlocked.Increment(ref asked);
            return (ErrorCode.NotOwner, new RedirectPayload { Address = _cluster.Brokers[to].Url["danube://".Length..], Revision = 1 });
        }
    }

    [Fact]
    public async Task A_broker_with_a_lower_epoch_than_the_client_has_seen_is_not_believed()
    {
        const string Topic = "/t/epoch";
        _cluster.Brokers[0].TopicEpoch = 5;
        await using DanubeClient client = await DanubeClient.ConnectAsync(_cluster.Brokers[0].Url, ProducerTests.Fast());
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = Topic, SendTimeout = Guard });
        await using Consumer consumer = await client.SubscribeAsync(new ConsumerOptions { Topic = Topic, Subscription = "s", Start = "earliest" });
        _cluster.Brokers[0].TopicEpoch = 4;
        _cluster.Brokers[0].CloseChannels(ErrorCode.NotOwner);
        Task<MessageId> waiting = producer.SendAsync(Bytes("m")).AsTask();
        await UntilAsync(() => _cluster.Brokers[0].LastChannel > 6);
        Assert.False(waiting.IsCompleted);
        _cluster.Brokers[0].TopicEpoch = 6;
        await waiting.WaitAsync(Guard);
        Assert.Equal("m", Text(await consumer.ReceiveAsync().AsTask().WaitAsync(Guard)));
    }

    private static async Task UntilAsync(Func<bool> done)
    {
        long since = Environment.TickCount64;
        while (!done())
        {
            Assert.True(Environment.TickCount64 - since < Guard.TotalMilliseconds, "It never came.");
            await Task.Delay(5);
        }
    }
}
