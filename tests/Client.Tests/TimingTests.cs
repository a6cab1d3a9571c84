using Danube.Fast.Protocol;

namespace Danube.Fast.Client.Tests;

/// <summary>Delay and time to live: in the header of each frame, never mixed in one batch.</summary>
public sealed class TimingTests : IAsyncLifetime
{
    private readonly FakeBroker _broker = new();
    private DanubeClient _client = null!;

    public async Task InitializeAsync() => _client = await DanubeClient.ConnectAsync(_broker.Url, ProducerTests.Fast());

    public async Task DisposeAsync()
    {
        await _client.DisposeAsync();
        _broker.Dispose();
    }

    private (uint Delay, uint TimeToLive, uint Count)[] Frames() =>
        [.. Enumerable.Range(0, _broker.Topic("/t/d").Frames.Count).Select(Fields)];

    private (uint Delay, uint TimeToLive, uint Count) Fields(int frame)
    {
        var header = new StreamHeader(_broker.Topic("/t/d").Frame(frame));
        return (header.DelayMs, header.TimeToLiveSeconds, header.RecordCount);
    }

    private static OutgoingMessage Message(TimeSpan delay = default, TimeSpan timeToLive = default) => new() { Payload = new byte[1], Delay = delay, TimeToLive = timeToLive };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_change_of_delay_or_time_to_live_closes_the_batch(bool byKey)
    {
        _broker.HoldAcks = true;
        await using Producer producer = await _client.CreateProducerAsync(new ProducerOptions { Topic = "/t/d", BatchByKey = byKey });
        Assert.True(producer.TryPost(new byte[1]));
        await ProducerTests.Eventually(() => _broker.Topic("/t/d").Frames.Count == 1);
        Assert.True(producer.TryPost(Message(TimeSpan.FromMilliseconds(0.5))));
        Assert.True(producer.TryPost(Message(TimeSpan.FromMilliseconds(1))));
        Assert.True(producer.TryPost(Message(TimeSpan.FromMilliseconds(1), TimeSpan.FromSeconds(0.1))));
        Assert.True(producer.TryPost(Message(timeToLive: TimeSpan.FromSeconds(1))));
        Assert.True(producer.TryPost(new byte[1]));
        Assert.True(producer.TryPost(new byte[1]));
        _broker.ReleaseAcks();
        await producer.FlushAsync();
        Assert.Equal([(0u, 0u, 1u), (1, 0, 2), (1, 1, 1), (0, 1, 1), (0, 0, 2)], Frames());
    }

    [Fact]
    public async Task A_delivery_time_becomes_a_delay_and_the_past_is_at_once()
    {
        var clock = new FixedClock(DateTimeOffset.UnixEpoch.AddYears(50));
        await using DanubeClient client = await DanubeClient.ConnectAsync(_broker.Url, new DanubeClientOptions { TimeProvider = clock });
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = "/t/d" });
        await producer.SendAsync(new OutgoingMessage { Payload = new byte[1], DeliverAt = clock.Now.AddMinutes(1) });
        await producer.SendAsync(new OutgoingMessage { Payload = new byte[1], DeliverAt = clock.Now.AddMinutes(-1) });
        await producer.SendAsync(new OutgoingMessage { Payload = new byte[1], DeliverAt = clock.Now.AddMinutes(1), Delay = TimeSpan.FromSeconds(1) });
        Assert.Equal([60_000u, 0, 1000], Frames().Select(f => f.Delay));
        await Assert.ThrowsAsync<ArgumentException>(async () => await producer.SendAsync(new OutgoingMessage { DeliverAt = clock.Now.AddDays(50) }));
    }

    [Fact]
    public async Task A_resent_frame_keeps_its_delay()
    {
        _broker.Watch(FrameType.Publish);
        _broker.Blackhole = true;
        var clock = new FixedClock(DateTimeOffset.UnixEpoch.AddYears(50));
        await using DanubeClient client = await DanubeClient.ConnectAsync(_broker.Url, new DanubeClientOptions { TimeProvider = clock, ReconnectDelay = TimeSpan.FromMilliseconds(5) });
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = "/t/d" });
        Task<MessageId> send = producer.SendAsync(new OutgoingMessage { Payload = new byte[1], DeliverAt = clock.Now.AddSeconds(10) }).AsTask();
        await ProducerTests.Eventually(() => _broker.Seen(FrameType.Publish).Length == 1);
        clock.Now += TimeSpan.FromSeconds(5);
        _broker.Blackhole = false;
        _broker.KillConnections();
        await send.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.All(_broker.Seen(FrameType.Publish), f => Assert.Equal(10_000u, new StreamHeader(f).DelayMs));
        Assert.Equal(2, _broker.Seen(FrameType.Publish).Length);
    }

    [Fact]
    public void Values_that_no_frame_can_carry_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Message(TimeSpan.FromMilliseconds(-1)));
        Assert.Throws<ArgumentOutOfRangeException>(() => Message(TimeSpan.FromDays(50)));
        Assert.Throws<ArgumentOutOfRangeException>(() => Message(timeToLive: TimeSpan.FromSeconds(-1)));
        Assert.Equal(TimeSpan.FromSeconds(2), Message(timeToLive: TimeSpan.FromSeconds(1.5)).TimeToLive);
        Assert.Null(Message().DeliverAt);
    }

    /// <summary>A calendar that stands still; timers run as usual.</summary>
    private sealed class FixedClock(DateTimeOffset now) : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = now;

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
