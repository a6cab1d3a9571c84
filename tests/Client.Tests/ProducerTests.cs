using System.Text;
using Danube.Fast.Protocol;

namespace Danube.Fast.Client.Tests;

/// <summary>Producers against the fake broker: ids, batching, order, back-pressure, cancellation, refusals.</summary>
public sealed class ProducerTests : IAsyncLifetime
{
    private readonly FakeBroker _broker = new();
    private DanubeClient _client = null!;

    public async Task InitializeAsync() => _client = await DanubeClient.ConnectAsync(_broker.Url, Fast());

    public async Task DisposeAsync()
    {
        _broker.Blackhole = false;
        await _client.DisposeAsync();
        _broker.Dispose();
    }

    internal static DanubeClientOptions Fast() => new()
    {
        CloseTimeout = TimeSpan.FromSeconds(2),
        ReconnectDelay = TimeSpan.FromMilliseconds(5),
        MaxReconnectDelay = TimeSpan.FromMilliseconds(50),
        RequestTimeout = TimeSpan.FromSeconds(60),
        ConnectTimeout = TimeSpan.FromSeconds(60),
    };

    internal static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    [Fact]
    public async Task Send_returns_dense_ids()
    {
        await using Producer producer = await _client.CreateProducerAsync(new ProducerOptions { Topic = "/t/a" });
        for (int i = 0; i < 100; i++)
        {
            MessageId id = await producer.SendAsync(Bytes($"m{i}"));
            Assert.Equal(new MessageId(0, 7, i), id);
        }

        Assert.Equal(100ul, producer.LastSequence);
    }

    [Fact]
    public async Task Many_sends_keep_their_order_and_are_batched()
    {
        await using Producer producer = await _client.CreateProducerAsync(new ProducerOptions { Topic = "/t/a" });
        Task<MessageId>[] sends = [.. Enumerable.Range(0, 5000).Select(i => producer.SendAsync(Bytes($"m{i}")).AsTask())];
        MessageId[] ids = await Task.WhenAll(sends).WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(Enumerable.Range(0, 5000).Select(i => (long)i), ids.Select(i => i.Offset));
        Assert.Equal(Enumerable.Range(0, 5000).Select(i => $"m{i}"), _broker.Topic("/t/a").Payloads());
        Assert.True(_broker.Topic("/t/a").Frames.Count < 2500, "batches hold more than two messages on average");
    }

    [Fact]
    public async Task While_nothing_is_acknowledged_one_small_batch_is_on_the_way_and_the_next_fills()
    {
        _broker.HoldAcks = true;
        await using Producer producer = await _client.CreateProducerAsync(new ProducerOptions { Topic = "/t/a" });
        for (int i = 0; i < 50; i++)
        {
            Assert.True(producer.TryPost(Bytes($"m{i}")));
        }

        await Eventually(() => _broker.Topic("/t/a").Frames.Count == 1);
        _broker.ReleaseAcks();
        await producer.FlushAsync();
        Assert.Equal(2, _broker.Topic("/t/a").Frames.Count);
        Assert.Equal(50, _broker.Topic("/t/a").End);
    }

    [Fact]
    public async Task Post_waits_in_order_when_the_window_is_full_and_can_be_cancelled()
    {
        _broker.HoldAcks = true;
        await using Producer producer = await _client.CreateProducerAsync(new ProducerOptions { Topic = "/t/a", MaxBatchBytes = 256, WindowBytes = 1024 });
        int posted = 0;
        while (producer.TryPost(Bytes($"{posted:D60}")))
        {
            posted++;
        }

        Assert.InRange(posted, 2, 20);
        ValueTask first = producer.PostAsync(Bytes($"{posted:D60}"));
        using var cancel = new CancellationTokenSource();
        ValueTask second = producer.PostAsync(Bytes("never"), cancel.Token);
        ValueTask<MessageId> third = producer.SendAsync(Bytes($"{posted + 1:D60}"));
        ValueTask<MessageId> fourth = producer.SendAsync(Bytes("never"), cancel.Token);
        Assert.False(first.IsCompleted);
        Assert.False(producer.TryPost(Bytes("overtakes")));
        cancel.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await second);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await fourth);
        _broker.ReleaseAcks();
        await first;
        Assert.Equal(posted + 1, (await third).Offset);
        Assert.Equal(Enumerable.Range(0, posted + 2).Select(i => $"{i:D60}"), _broker.Topic("/t/a").Payloads());
    }

    [Fact]
    public async Task A_post_that_has_found_room_is_sent_and_says_so_even_when_it_is_cancelled_then()
    {
        _broker.HoldAcks = true;
        using var cancel = new CancellationTokenSource();
        await using Producer producer = await _client.CreateProducerAsync(new ProducerOptions
        {
            Topic = "/t/a",
            MaxBatchBytes = 256,
            WindowBytes = 1024,
            // The room of these messages has been given away, and nobody has been told so yet.
            OnAcknowledged = (in BatchAck _) => cancel.Cancel(),
        });
        int posted = 0;
        while (producer.TryPost(Bytes($"{posted:D60}")))
        {
            posted++;
        }

        ValueTask waiting = producer.PostAsync(Bytes($"{posted:D60}"), cancel.Token);
        Assert.False(waiting.IsCompleted);
        _broker.ReleaseAcks();
        await waiting;
        await producer.FlushAsync();
        Assert.Equal(Enumerable.Range(0, posted + 1).Select(i => $"{i:D60}"), _broker.Topic("/t/a").Payloads());
    }

    [Fact]
    public async Task A_cancelled_wait_for_an_acknowledgement_leaves_the_producer_intact()
    {
        _broker.HoldAcks = true;
        await using Producer producer = await _client.CreateProducerAsync(new ProducerOptions { Topic = "/t/a" });
        using var cancel = new CancellationTokenSource();
        ValueTask<MessageId> abandoned = producer.SendAsync(Bytes("a"), cancel.Token);
        cancel.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await abandoned);
        _broker.ReleaseAcks();
        for (int i = 1; i < 100; i++)
        {
            Assert.Equal(i, (await producer.SendAsync(Bytes("b"), cancel.Token.IsCancellationRequested ? default : cancel.Token)).Offset);
        }
    }

    [Fact]
    public async Task A_refused_batch_fails_its_sends_and_the_ones_behind_it_move_up()
    {
        _broker.HoldAcks = true;
        int refusals = 0;
        _broker.OnPublish = f => f.Sequence == 2 && refusals++ == 0 ? ErrorCode.MessageTooLarge : ErrorCode.None;
        await using Producer producer = await _client.CreateProducerAsync(new ProducerOptions { Topic = "/t/a", MaxBatchRecords = 1, MaxPartialBatches = 64 });
        Task<MessageId>[] sends = [.. Enumerable.Range(0, 20).Select(i => producer.SendAsync(Bytes($"m{i}")).AsTask())];
        DanubeException error = await Assert.ThrowsAsync<DanubeException>(() => sends[1]);
        Assert.Equal(ErrorCode.MessageTooLarge, error.Code);
        Assert.False(error.Retryable);
        Assert.Equal(2ul, error.Sequence);
        await Eventually(() => _broker.Topic("/t/a").End == 19);
        _broker.ReleaseAcks();
        MessageId[] ids = await Task.WhenAll(sends.Where((_, i) => i != 1)).WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(Enumerable.Range(0, 19).Select(i => (long)i), ids.Select(i => i.Offset));
        Assert.Equal(Enumerable.Range(0, 20).Where(i => i != 1).Select(i => $"m{i}"), _broker.Topic("/t/a").Payloads());
    }

    [Fact]
    public async Task Flush_reports_the_first_refusal_of_posts_once()
    {
        _broker.OnPublish = f => f.Sequence == 1 ? ErrorCode.BacklogQuotaExceeded : ErrorCode.None;
        await using Producer producer = await _client.CreateProducerAsync(new ProducerOptions { Topic = "/t/a", MaxBatchRecords = 1, SendTimeout = TimeSpan.Zero });
        Assert.True(producer.TryPost(Bytes("a")));
        DanubeException error = await Assert.ThrowsAsync<DanubeException>(async () => await producer.FlushAsync());
        Assert.Equal(ErrorCode.BacklogQuotaExceeded, error.Code);
        _broker.OnPublish = null;
        Assert.True(producer.TryPost(Bytes("b")));
        await producer.FlushAsync();
        Assert.Equal(["b"], _broker.Topic("/t/a").Payloads());
    }

    [Fact]
    public async Task A_second_producer_of_the_name_ends_the_first()
    {
        await using Producer first = await _client.CreateProducerAsync(new ProducerOptions { Topic = "/t/a", Name = "p" });
        await first.SendAsync(Bytes("a"));
        await using Producer second = await _client.CreateProducerAsync(new ProducerOptions { Topic = "/t/a", Name = "p" });
        Assert.Equal(1ul, second.LastSequence);
        Assert.Equal(1, (await second.SendAsync(Bytes("b"))).Offset);
        await Eventually(() => Xunit.Record.Exception(() => first.TryPost(Bytes("c"))) is DanubeException { Code: ErrorCode.Fenced });
    }

    [Fact]
    public async Task Too_large_a_message_is_refused_here_and_a_large_one_is_a_batch_of_its_own()
    {
        await using Producer producer = await _client.CreateProducerAsync(new ProducerOptions { Topic = "/t/a" });
        DanubeException error = Assert.Throws<DanubeException>(() => producer.TryPost(new byte[ProtocolLimits.DefaultMaxFrame]));
        Assert.Equal(ErrorCode.FrameTooLarge, error.Code);
        error = await Assert.ThrowsAsync<DanubeException>(async () => await producer.SendAsync(new byte[(64 * 1024 * 1024) + 1]));
        Assert.Equal(ErrorCode.MessageTooLarge, error.Code);
        Assert.Equal(0, (await producer.SendAsync(new byte[3_000_000])).Offset);
        Assert.Equal(1, (await producer.SendAsync(Bytes("small"))).Offset);
    }

    [Fact]
    public async Task Keys_attributes_and_event_times_travel_and_one_key_marks_the_batch()
    {
        await using Producer producer = await _client.CreateProducerAsync(new ProducerOptions { Topic = "/t/a" });
        var attributes = new MessageAttributes(new("color", "red"), new("größe", ""));
        await producer.SendAsync(new OutgoingMessage { Payload = Bytes("x"), Key = Bytes("k"), Attributes = attributes, EventTimeMicros = 42 });
        Check(_broker.Topic("/t/a"));

        static void Check(FakeTopic topic)
        {
            new RunReader(topic.Frame(0)).TryRead(out StoredFrame frame);
            Assert.Equal(FrameFlags.OneKey, frame.Header.Flags);
            Assert.Equal(KeyHash.Compute("k"u8), frame.Header.KeyHash);
            var reader = new RecordReader(frame.Payload);
            Assert.True(reader.TryRead(out Protocol.Record record));
            Assert.True(record.Key.SequenceEqual("k"u8));
            Assert.Equal(42, record.EventTimeMicros);
            MessageAttributes read = MessageAttributes.FromPacked(record.PackedAttributes.ToArray());
            Assert.Equal([new("color", "red"), new("größe", "")], read.ToArray());
        }
    }

    [Fact]
    public async Task Batches_are_told_to_the_callback_in_order()
    {
        var acks = new List<BatchAck>();
        await using Producer producer = await _client.CreateProducerAsync(new ProducerOptions { Topic = "/t/a", MaxBatchBytes = 1024, OnAcknowledged = (in BatchAck a) => acks.Add(a) });
        for (int i = 0; i < 1000; i++)
        {
            await producer.PostAsync(Bytes($"m{i}"));
        }

        await producer.FlushAsync();
        Assert.Equal(1000, acks.Sum(a => a.Count));
        long next = 0;
        foreach (BatchAck ack in acks)
        {
            Assert.Equal(next, ack.FirstOffset);
            Assert.Equal((ulong)next + 1, ack.FirstSequence);
            Assert.True(ack.OpenedTimestamp <= ack.SentTimestamp);
            next += ack.Count;
        }
    }

    [Theory]
    [InlineData(Codec.Brotli)]
    [InlineData(Codec.Deflate)]
    public async Task Compressed_batches_hold_the_same_messages(Codec codec)
    {
        await using Producer producer = await _client.CreateProducerAsync(new ProducerOptions { Topic = "/t/a", Compression = codec });
        for (int i = 0; i < 2000; i++)
        {
            await producer.PostAsync(Bytes($"the same words again and again {i}"));
        }

        await producer.FlushAsync();
        Assert.Equal(Enumerable.Range(0, 2000).Select(i => $"the same words again and again {i}"), _broker.Topic("/t/a").Payloads());
        Assert.True(_broker.Topic("/t/a").Frames.Sum(f => f.Length) < 2000 * 20);
    }

    [Fact]
    public async Task Keys_choose_the_partition_and_the_rest_is_spread()
    {
        _broker.Partitioned["/t/p"] = 4;
        await using Producer producer = await _client.CreateProducerAsync(new ProducerOptions { Topic = "/t/p" });
        Assert.Equal(4, producer.PartitionCount);
        for (int i = 0; i < 40; i++)
        {
            byte[] key = Bytes($"key{i}");
            MessageId id = await producer.SendAsync(new OutgoingMessage { Payload = Bytes($"m{i}"), Key = key });
            Assert.Equal(KeyHash.Partition(KeyHash.Compute(key), 4), id.Partition);
        }

        var used = new HashSet<int>();
        for (int i = 0; i < 8; i++)
        {
            used.Add((await producer.SendAsync(Bytes("no key"))).Partition);
        }

        Assert.Equal(4, used.Count);
        Assert.Equal(48, Enumerable.Range(0, 4).Sum(i => _broker.Topic($"/t/p-part-{i}").End));
    }

    [Fact]
    public async Task A_codec_that_the_broker_does_not_take_is_refused()
    {
        _broker.Codecs = ["deflate"];
        await using DanubeClient client = await DanubeClient.ConnectAsync(_broker.Url, Fast());
        DanubeException error = await Assert.ThrowsAsync<DanubeException>(() => client.CreateProducerAsync(new ProducerOptions { Topic = "/t/a", Compression = Codec.Brotli }));
        Assert.Equal(ErrorCode.UnknownCodec, error.Code);
    }

    [Fact]
    public async Task A_listener_that_throws_keeps_nobody_waiting()
    {
        await using Producer producer = await _client.CreateProducerAsync(new ProducerOptions { Topic = "/t/a", OnAcknowledged = (in BatchAck _) => throw new InvalidOperationException() });
        Assert.Equal(0, (await producer.SendAsync(Bytes("a"))).Offset);
        Assert.Equal(1, (await producer.SendAsync(Bytes("b"))).Offset);
    }

    [Fact]
    public async Task A_token_cancelled_before_sends_nothing()
    {
        await using Producer producer = await _client.CreateProducerAsync(new ProducerOptions { Topic = "/t/a" });
        var cancelled = new CancellationToken(true);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await producer.SendAsync(Bytes("a"), cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await producer.PostAsync(Bytes("b"), cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await producer.PostAsync(new OutgoingMessage { Payload = Bytes("c") }, cancelled));
        await producer.FlushAsync();
        Assert.Equal(0, _broker.Topic("/t/a").End);
    }

    [Fact]
    public async Task Posts_spread_over_partitions_and_are_flushed_together()
    {
        _broker.Partitioned["/t/p"] = 3;
        await using Producer producer = await _client.CreateProducerAsync(new ProducerOptions { Topic = "/t/p", MaxBatchBytes = 512 });
        for (int i = 0; i < 1000; i++)
        {
            Assert.True(producer.TryPost(new OutgoingMessage { Payload = Bytes("x") }) || producer.TryPost(Bytes("y")));
        }

        await producer.FlushAsync();
        Assert.All(Enumerable.Range(0, 3), i => Assert.InRange(_broker.Topic($"/t/p-part-{i}").End, 100, 800));
    }

    [Fact]
    public async Task A_key_that_is_too_long_is_refused_before_anything_happens()
    {
        await using Producer producer = await _client.CreateProducerAsync(new ProducerOptions { Topic = "/t/a" });
        var message = new OutgoingMessage { Key = new byte[ProtocolLimits.MaxKeyLength + 1] };
        Assert.Throws<ArgumentException>(() => producer.TryPost(message));
        await Assert.ThrowsAsync<ArgumentException>(async () => await producer.SendAsync(message));
        Assert.Equal(0, (await producer.SendAsync(Bytes("fine"))).Offset);
    }

    [Fact]
    public async Task Dispose_waits_for_what_was_posted()
    {
        Producer producer = await _client.CreateProducerAsync(new ProducerOptions { Topic = "/t/a" });
        for (int i = 0; i < 1000; i++)
        {
            await producer.PostAsync(Bytes($"m{i}"));
        }

        await producer.DisposeAsync();
        Assert.Equal(1000, _broker.Topic("/t/a").End);
        Assert.Throws<DanubeException>(() => producer.TryPost(Bytes("late")));
    }

    internal static async Task Eventually(Func<bool> condition)
    {
        using var hang = new CancellationTokenSource(TimeSpan.FromSeconds(120));
        while (!condition())
        {
            await Task.Delay(5, hang.Token);
        }
    }
}
