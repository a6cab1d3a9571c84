using System.Text;
using Danube.Fast.Protocol;

namespace Danube.Fast.Client.Tests;

/// <summary>A broker that refuses for a reason that may pass.</summary>
public sealed class RefusalTests : IAsyncLifetime
{
    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(120);

    private readonly FakeBroker _broker = new();
    private DanubeClient _client = null!;

    public async Task InitializeAsync() => _client = await DanubeClient.ConnectAsync(_broker.Url, ProducerTests.Fast());

    public async Task DisposeAsync()
    {
        await _client.DisposeAsync();
        _broker.Dispose();
    }

    [Theory]
    [InlineData(ErrorCode.DiskFull)]
    [InlineData(ErrorCode.DiskLow)]
    [InlineData(ErrorCode.BacklogQuotaExceeded)]
    [InlineData(ErrorCode.LimitExceeded)]
    public async Task What_is_refused_for_a_while_is_sent_again_in_order_and_stored_once(ErrorCode code)
    {
        int refused = 0;
        _broker.OnPublish = f => f.Sequence >= 3 && Interlocked.Increment(ref refused) <= 20 ? code : ErrorCode.None;
        await using Producer producer = await _client.CreateProducerAsync(new ProducerOptions { Topic = "/t/a", MaxBatchRecords = 2 });
        Task<MessageId>[] sends = [.. Enumerable.Range(0, 30).Select(i => producer.SendAsync(Encoding.UTF8.GetBytes($"m{i}")).AsTask())];
        MessageId[] ids = await Task.WhenAll(sends).WaitAsync(Hang);
        Assert.Equal(Enumerable.Range(0, 30).Select(i => (long)i), ids.Select(i => i.Offset));
        Assert.Equal(Enumerable.Range(0, 30).Select(i => $"m{i}"), _broker.Topic("/t/a").Payloads());
        Assert.Equal(30ul, producer.LastSequence);
        Assert.True(refused > 20);
    }

    [Fact]
    public async Task What_is_refused_for_too_long_fails_with_the_error_and_the_producer_goes_on()
    {
        _broker.OnPublish = f => f.Sequence >= 3 ? ErrorCode.DiskFull : ErrorCode.None;
        await using Producer producer = await _client.CreateProducerAsync(new ProducerOptions { Topic = "/t/a", MaxBatchRecords = 1, SendTimeout = TimeSpan.FromMilliseconds(200) });
        Task<MessageId>[] sends = [.. Enumerable.Range(0, 10).Select(i => producer.SendAsync(Encoding.UTF8.GetBytes($"m{i}")).AsTask())];
        await Task.WhenAll(sends[..2]).WaitAsync(Hang);
        foreach (Task<MessageId> send in sends[2..])
        {
            Assert.Equal(ErrorCode.DiskFull, (await Assert.ThrowsAsync<DanubeException>(() => send.WaitAsync(Hang))).Code);
        }

        _broker.OnPublish = null;
        Assert.Equal(2, (await producer.SendAsync("next"u8.ToArray()).AsTask().WaitAsync(Hang)).Offset);
        Assert.Equal(["m0", "m1", "next"], _broker.Topic("/t/a").Payloads());
    }

    [Fact]
    public async Task Posts_wait_in_a_bounded_window_and_the_flush_tells_of_their_failure()
    {
        _broker.OnPublish = _ => ErrorCode.DiskLow;
        await using Producer producer = await _client.CreateProducerAsync(new ProducerOptions { Topic = "/t/a", WindowBytes = 4096, MaxBatchBytes = 512, SendTimeout = TimeSpan.FromSeconds(1) });
        int posted = 0;
        while (producer.TryPost(new byte[100]))
        {
            Assert.True(++posted < 100, "the window has no bound");
        }

        Assert.Equal(ErrorCode.DiskLow, (await Assert.ThrowsAsync<DanubeException>(() => producer.FlushAsync().AsTask().WaitAsync(Hang))).Code);
        _broker.OnPublish = null;
        Assert.True(producer.TryPost(new byte[100]));
        await producer.FlushAsync().AsTask().WaitAsync(Hang);
        Assert.Equal(1, _broker.Topic("/t/a").End);
    }

    [Fact]
    public async Task A_large_message_refused_in_the_middle_arrives_whole()
    {
        int refused = 0;
        _broker.OnPublish = f => f.Sequence >= 5 && Interlocked.Increment(ref refused) <= 10 ? ErrorCode.BacklogQuotaExceeded : ErrorCode.None;
        await using Producer producer = await _client.CreateProducerAsync(new ProducerOptions { Topic = "/t/a", ChunkBytes = 64 * 1024 });
        await using Consumer consumer = await _client.SubscribeAsync(new ConsumerOptions { Topic = "/t/a", Subscription = "s", Start = "earliest" });
        byte[] payload = new byte[9_000_000];
        new Random(1).NextBytes(payload);
        MessageId id = await producer.SendAsync(payload).AsTask().WaitAsync(Hang);
        using var hang = new CancellationTokenSource(Hang);
        Message message = await consumer.ReceiveAsync(hang.Token);
        Assert.Equal(id, message.Id);
        Assert.True(payload.AsSpan().SequenceEqual(message.Payload.Span));
        Assert.Equal(0, consumer.OrphanedChunks);
    }

    [Fact]
    public async Task Refused_and_disconnected_in_turn_nothing_is_lost_or_stored_twice()
    {
        int published = 0;
        _broker.OnPublish = _ => Interlocked.Increment(ref published) % 7 is 0 or 1 ? ErrorCode.DiskFull : ErrorCode.None;
        await using Producer producer = await _client.CreateProducerAsync(new ProducerOptions { Topic = "/t/a", MaxBatchRecords = 3 });
        var sends = new List<Task<MessageId>>();
        for (int i = 0; i < 300; i++)
        {
            sends.Add(producer.SendAsync(Encoding.UTF8.GetBytes($"m{i}")).AsTask());
            if (i % 60 == 59)
            {
                await sends[i - 30].WaitAsync(Hang);
                _broker.KillConnections();
            }
        }

        await Task.WhenAll(sends).WaitAsync(Hang);
        Assert.Equal(Enumerable.Range(0, 300).Select(i => $"m{i}"), _broker.Topic("/t/a").Payloads());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_producer_that_is_refused_after_a_reconnect_fails_its_messages_in_time_and_goes_on_with_the_next(bool stored)
    {
        await using Producer producer = await _client.CreateProducerAsync(new ProducerOptions { Topic = "/t/a", MaxBatchRecords = 1, MaxPartialBatches = 4, SendTimeout = TimeSpan.FromMilliseconds(300) });
        _broker.Watch(FrameType.Publish);
        await producer.SendAsync("m0"u8.ToArray()).AsTask().WaitAsync(Hang);

        // On their way when the connection breaks: stored without an acknowledgement, or not.
        _broker.HoldAcks = stored;
        _broker.Blackhole = !stored;
        Task<MessageId>[] sends = [.. Enumerable.Range(1, 3).Select(i => producer.SendAsync(Encoding.UTF8.GetBytes($"m{i}")).AsTask())];
        await ProducerTests.Eventually(() => _broker.Seen(FrameType.Publish).Length == 4 && (!stored || _broker.Topic("/t/a").End == 4));
        _broker.OnRequest = c => c == Commands.CreateProducer ? ErrorCode.LimitExceeded : ErrorCode.None;
        _broker.HoldAcks = _broker.Blackhole = false;
        _broker.KillConnections();
        Task<MessageId> late = producer.SendAsync("m4"u8.ToArray()).AsTask();
        foreach (Task<MessageId> send in sends.Append(late))
        {
            Assert.Equal(ErrorCode.LimitExceeded, (await Assert.ThrowsAsync<DanubeException>(() => send.WaitAsync(Hang))).Code);
        }

        Assert.True(producer.TryPost("m5"u8));
        Assert.Equal(ErrorCode.LimitExceeded, (await Assert.ThrowsAsync<DanubeException>(() => producer.FlushAsync().AsTask().WaitAsync(Hang))).Code);
        _broker.OnRequest = null;
        string[] before = stored ? ["m0", "m1", "m2", "m3"] : ["m0"];
        Assert.Equal(before.Length, (await SendUntilTakenAsync(producer, "next")).Offset);
        Assert.Equal([.. before, "next"], _broker.Topic("/t/a").Payloads());
        Assert.Equal((ulong)before.Length + 1, producer.LastSequence);
        Assert.Equal(0, _broker.Topic("/t/a").Duplicates);
    }

    // The last refusal may still be under way.
    private static async Task<MessageId> SendUntilTakenAsync(Producer producer, string text)
    {
        while (true)
        {
            try
            {
                return await producer.SendAsync(Encoding.UTF8.GetBytes(text)).AsTask().WaitAsync(Hang);
            }
            catch (DanubeException error) when (error.Code == ErrorCode.LimitExceeded)
            {
                // Failed in time, again.
            }
        }
    }
}
