using System.Text;
using Danube.Fast.Protocol;

namespace Danube.Fast.Client.Tests;

/// <summary>Requests that look after topics and subscriptions, against the real broker.</summary>
[Collection(nameof(BrokerCollection))]
public sealed class ManagementTests(BrokerFixture broker) : IAsyncLifetime
{
    private readonly string _topic = broker.NewTopic();
    private DanubeClient _client = null!;

    public async Task InitializeAsync()
    {
        _client = await DanubeClient.ConnectAsync(broker.Url, ProducerTests.Fast());
        await using Producer producer = await _client.CreateProducerAsync(new ProducerOptions { Topic = _topic, Durability = "os" });
        await (await _client.SubscribeAsync(new ConsumerOptions { Topic = _topic, Subscription = "s", Start = "earliest" })).DisposeAsync();
        for (int i = 0; i < 20; i++)
        {
            await producer.PostAsync(Encoding.UTF8.GetBytes($"m{i}"));
        }

        await producer.FlushAsync();
    }

    public async Task DisposeAsync() => await _client.DisposeAsync();

    [Fact]
    public async Task Subscriptions_are_described_skipped_and_purged()
    {
        SubscriptionDetails details = await _client.DescribeSubscriptionAsync(_topic, "s");
        Assert.Equal(20, details.Subscription.Backlog);
        Assert.Empty(details.Consumers);
        SkipReply skipped = await _client.SkipAsync(_topic, "s", 5);
        Assert.Equal(5, skipped.Skipped);
        Assert.Equal(5, skipped.MarkDelete);
        Assert.Equal(["m5", "m6"], (await _client.PeekAsync(new PeekRequest { Topic = _topic, Subscription = "s", Count = 2 })).Select(m => m.Payload));
        Assert.Equal(["m3"], (await _client.PeekAsync(new PeekRequest { Topic = _topic, Offset = 3 })).Select(m => m.Payload));
        Assert.Equal(15, (await _client.PurgeAsync(_topic, "s")).Skipped);
        Assert.Equal(0, (await _client.DescribeSubscriptionAsync(_topic, "s")).Subscription.Backlog);
        DanubeException error = await Assert.ThrowsAsync<DanubeException>(() => _client.DescribeSubscriptionAsync(_topic, "none"));
        Assert.Equal(ErrorCode.SubscriptionNotFound, error.Code);
    }

    [Fact]
    public async Task Topics_take_a_policy_and_are_purged()
    {
        await _client.SetTopicPolicyAsync(new TopicSpec { Topic = _topic, MaxConsumers = 3, MessageTtlMs = 3_600_000 });
        TopicInfo info = await _client.DescribeTopicAsync(_topic);
        Assert.Equal(3, info.Policy!.MaxConsumers);
        await _client.PurgeTopicAsync(_topic);
        Assert.Equal(0, Assert.Single((await _client.DescribeTopicAsync(_topic)).Subscriptions).Backlog);
        await ProducerTests.Eventually(() => _client.DescribeTopicAsync(_topic).GetAwaiter().GetResult().LogStart == 20);
    }

    [Fact]
    public async Task Namespaces_take_a_policy()
    {
        string name = $"ns{Random.Shared.Next():x}";
        await _client.SetNamespacePolicyAsync(new NamespaceSpec { Namespace = name, MaxTopics = 1 });
        Assert.Equal(1, (await _client.DescribeNamespaceAsync(name)).MaxTopics);
        await _client.CreateTopicAsync(new TopicSpec { Topic = $"/{name}/a" });
        DanubeException error = await Assert.ThrowsAsync<DanubeException>(() => _client.CreateTopicAsync(new TopicSpec { Topic = $"/{name}/b" }));
        Assert.Equal(ErrorCode.LimitExceeded, error.Code);
    }

    [Fact]
    public async Task A_message_above_the_limit_of_the_topic_is_refused_also_in_chunks()
    {
        await _client.SetTopicPolicyAsync(new TopicSpec { Topic = _topic, MaxMessageBytes = 10_000_000 });
        await using Producer producer = await _client.CreateProducerAsync(new ProducerOptions { Topic = _topic });
        DanubeException error = await Assert.ThrowsAsync<DanubeException>(async () => await producer.SendAsync(new byte[12_000_000]));
        Assert.Equal(ErrorCode.MessageTooLarge, error.Code);
        Assert.Equal(20, (await producer.SendAsync(new byte[1])).Offset);
        await producer.SendAsync(new byte[9_500_000]);
    }
}
