using System.Text;
using Danube.Fast.Protocol;

namespace Danube.Fast.Client.Tests;

/// <summary>The fake broker refuses, is silent or not there: what ends a producer, a consumer or a call, and with which error.</summary>
public sealed class LostForGoodTests : IDisposable
{
    private readonly FakeBroker _broker = new();

    public void Dispose() => _broker.Dispose();

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    [Fact]
    public async Task Giving_up_fails_what_waits()
    {
        DanubeClientOptions options = new() { GiveUpAfter = TimeSpan.FromMilliseconds(50), ReconnectDelay = TimeSpan.FromMilliseconds(5), MaxReconnectDelay = TimeSpan.FromMilliseconds(20), CloseTimeout = TimeSpan.FromMilliseconds(100) };
        await using DanubeClient client = await DanubeClient.ConnectAsync(_broker.Url, options);
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = "/t/r" });
        await using Consumer consumer = await client.SubscribeAsync(new ConsumerOptions { Topic = "/t/r", Subscription = "s" });
        _broker.Suspend();
        DanubeException error = await Assert.ThrowsAsync<DanubeException>(async () => await producer.SendAsync(Bytes("lost")).AsTask().WaitAsync(TimeSpan.FromSeconds(60)));
        Assert.Equal(ErrorCode.Unavailable, error.Code);
        await Assert.ThrowsAsync<DanubeException>(async () => await consumer.ReceiveAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(60)));
    }

    [Fact]
    public async Task A_frame_that_always_ends_the_connection_ends_the_producer_at_last()
    {
        await using DanubeClient client = await DanubeClient.ConnectAsync(_broker.Url, ProducerTests.Fast());
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = "/t/r" });
        await producer.SendAsync(Bytes("good"));
        _broker.PoisonAt = 2;
        DanubeException error = await Assert.ThrowsAsync<DanubeException>(async () => await producer.SendAsync(Bytes("bad")).AsTask().WaitAsync(TimeSpan.FromSeconds(60)));
        Assert.Equal(ErrorCode.FrameTooLarge, error.Code);
    }

    [Fact]
    public async Task Refused_credentials_are_not_tried_for_ever()
    {
        await using DanubeClient client = await DanubeClient.ConnectAsync(_broker.Url, ProducerTests.Fast());
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = "/t/r" });
        _broker.RefuseHello = ErrorCode.Unauthorized;
        _broker.KillConnections();
        DanubeException error = await Assert.ThrowsAsync<DanubeException>(async () => await producer.SendAsync(Bytes("x")).AsTask().WaitAsync(TimeSpan.FromSeconds(60)));
        Assert.Equal(ErrorCode.Unauthorized, error.Code);
        DanubeException first = await Assert.ThrowsAsync<DanubeException>(() => DanubeClient.ConnectAsync(_broker.Url, ProducerTests.Fast()));
        Assert.Equal(ErrorCode.Unauthorized, first.Code);
    }

    [Fact]
    public async Task A_disposed_client_ends_its_producers_and_consumers()
    {
        DanubeClient client = await DanubeClient.ConnectAsync(_broker.Url, ProducerTests.Fast());
        Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = "/t/r" });
        Consumer consumer = await client.SubscribeAsync(new ConsumerOptions { Topic = "/t/r", Subscription = "s" });
        ValueTask<Message> waiting = consumer.ReceiveAsync();
        Assert.True(producer.TryPost(Bytes("flushed by the dispose")));
        await client.DisposeAsync();
        Assert.Equal(1, _broker.Topic("/t/r").End);
        Assert.Throws<DanubeException>(() => producer.TryPost(Bytes("late")));
        await Assert.ThrowsAsync<DanubeException>(async () =>
        {
            await waiting; // The message may have come before the end; the next wait cannot succeed.
            await consumer.ReceiveAsync();
        });
        await Assert.ThrowsAsync<ObjectDisposedException>(() => client.PingAsync());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => client.CreateProducerAsync(new ProducerOptions { Topic = "/t/r" }));
    }

    [Fact]
    public async Task A_refusal_of_the_first_request_reaches_the_caller()
    {
        _broker.OnRequest = c => c == Commands.Subscribe ? ErrorCode.SubscriptionBusy : ErrorCode.None;
        await using DanubeClient client = await DanubeClient.ConnectAsync(_broker.Url, ProducerTests.Fast());
        DanubeException error = await Assert.ThrowsAsync<DanubeException>(() => client.SubscribeAsync(new ConsumerOptions { Topic = "/t/r", Subscription = "s" }));
        Assert.Equal(ErrorCode.SubscriptionBusy, error.Code);
        Assert.True(error.Retryable);
        Assert.NotNull(error.CorrelationId);
    }

    [Fact]
    public async Task A_broker_that_is_not_there_or_does_not_answer_is_told_apart()
    {
        _broker.Silent = true;
        DanubeClientOptions hasty = new() { ConnectTimeout = TimeSpan.FromMilliseconds(100) };
        DanubeException silent = await Assert.ThrowsAsync<DanubeException>(() => DanubeClient.ConnectAsync(_broker.Url, hasty));
        Assert.Equal(ErrorCode.TimedOut, silent.Code);
        _broker.Suspend();
        DanubeException gone = await Assert.ThrowsAsync<DanubeException>(() => DanubeClient.ConnectAsync(_broker.Url, ProducerTests.Fast()));
        Assert.Equal(ErrorCode.Unavailable, gone.Code);
    }

    [Fact]
    public async Task Silence_is_answered_with_a_ping_and_then_with_a_new_connection()
    {
        _broker.Watch(FrameType.Ping);
        DanubeClientOptions options = new() { PingAfter = TimeSpan.FromMilliseconds(500), DeadAfter = TimeSpan.FromSeconds(8), ConnectTimeout = TimeSpan.FromSeconds(4), ReconnectDelay = TimeSpan.FromMilliseconds(5) };
        await using DanubeClient client = await DanubeClient.ConnectAsync(_broker.Url, options);
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = "/t/r" });
        await ProducerTests.Eventually(() => _broker.Seen(FrameType.Ping).Length >= 2);
        Assert.Equal(1, _broker.Connections);
        _broker.Silent = true;
        await ProducerTests.Eventually(() => _broker.Connections >= 2);
        _broker.Silent = false;
        Assert.Equal(0, (await producer.SendAsync(Bytes("still here")).AsTask().WaitAsync(TimeSpan.FromSeconds(60))).Offset);
    }

    [Fact]
    public async Task Requests_and_pings_time_out_or_answer()
    {
        await using DanubeClient patient = await DanubeClient.ConnectAsync(_broker.Url, ProducerTests.Fast());
        Assert.True(await patient.PingAsync() > TimeSpan.Zero);
        await patient.CreateTopicAsync(new TopicSpec { Topic = "/t/x" });
        await using DanubeClient client = await DanubeClient.ConnectAsync(_broker.Url, new DanubeClientOptions { RequestTimeout = TimeSpan.FromSeconds(2) });
        _broker.Silent = true;
        Assert.Equal(ErrorCode.TimedOut, (await Assert.ThrowsAsync<DanubeException>(() => client.PingAsync())).Code);
        Assert.Equal(ErrorCode.TimedOut, (await Assert.ThrowsAsync<DanubeException>(() => client.DeleteTopicAsync("/t/x"))).Code);
    }
}
