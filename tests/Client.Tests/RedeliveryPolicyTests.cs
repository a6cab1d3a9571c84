using System.Text.Json;
using Danube.Fast.Protocol;

namespace Danube.Fast.Client.Tests;

/// <summary>Giving back with and without a delay, and the policy that goes with a subscription, as they look on the wire.</summary>
public sealed class RedeliveryPolicyTests : IAsyncLifetime
{
    private readonly FakeBroker _broker = new();
    private DanubeClient _client = null!;

    public async Task InitializeAsync() => _client = await DanubeClient.ConnectAsync(_broker.Url, ProducerTests.Fast());

    public async Task DisposeAsync()
    {
        await _client.DisposeAsync();
        _broker.Dispose();
    }

    [Fact]
    public async Task Without_a_delay_the_back_off_of_the_subscription_counts_and_zero_is_at_once()
    {
        _broker.Watch(FrameType.Nack);
        await using Producer producer = await _client.CreateProducerAsync(new ProducerOptions { Topic = "/t/n" });
        await using Consumer consumer = await _client.SubscribeAsync(new ConsumerOptions { Topic = "/t/n", Subscription = "s" });
        await producer.SendAsync(new byte[1]);
        Message message = await consumer.ReceiveAsync();
        consumer.Nack(message);
        consumer.Nack(message.Id);
        consumer.Nack(message, TimeSpan.Zero);
        consumer.Nack(message.Id, TimeSpan.FromSeconds(2));
        Assert.Throws<ArgumentOutOfRangeException>(() => consumer.Nack(message.Id, TimeSpan.FromSeconds(-1)));
        await ProducerTests.Eventually(() => _broker.Seen(FrameType.Nack).Length == 4);
        Assert.Equal([AckFrame.BackOffDelay, AckFrame.BackOffDelay, 0, 2000], _broker.Seen(FrameType.Nack).Select(n => new AckFrame(n).NackDelayMs));
    }

    [Fact]
    public async Task The_policy_is_part_of_the_subscribe_request()
    {
        _broker.Watch(FrameType.Request);
        await (await Subscribe(null)).DisposeAsync();
        await (await Subscribe(new RedeliveryPolicy())).DisposeAsync();
        await (await Subscribe(new RedeliveryPolicy
        {
            AckTimeout = TimeSpan.Zero,
            MaxRedeliveries = 3,
            FailureAction = FailureAction.DeadLetter,
            DeadLetterTopic = "/t/dead",
            BackOffMin = TimeSpan.FromMilliseconds(10),
            BackOffMax = TimeSpan.FromSeconds(1),
        })).DisposeAsync();
        SubscriptionPolicy?[] seen = [.. _broker.Seen(FrameType.Request).Select(Policy)];
        Assert.Equal(3, seen.Length);
        Assert.Null(seen[0]);
        Assert.Equal(new SubscriptionPolicy(), seen[1]);
        Assert.Equal(
            new SubscriptionPolicy
            {
                AckTimeoutMs = 0,
                MaxRedeliveries = 3,
                FailurePolicy = "dead_letter",
                DeadLetterTopic = "/t/dead",
                BackOffMinMs = 10,
                BackOffMaxMs = 1000,
            },
            seen[2]);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => Subscribe(new RedeliveryPolicy { MaxRedeliveries = 0 }));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => Subscribe(new RedeliveryPolicy { BackOffMin = TimeSpan.FromSeconds(-1) }));
    }

    private Task<Consumer> Subscribe(RedeliveryPolicy? policy) => _client.SubscribeAsync(new ConsumerOptions { Topic = "/t/n", Subscription = "s", Policy = policy });

    private static SubscriptionPolicy? Policy(byte[] frame)
    {
        Assert.True(EnvelopeCodec.TryDecode(frame, EnvelopeMode.Strict, int.MaxValue, out Envelope? message, out _));
        return JsonSerializer.Deserialize(message!.Payload!.Value.Span, ControlJson.Default.SubscribeRequest)!.Policy;
    }
}
