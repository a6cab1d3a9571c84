using System.Text;
using Danube.Fast.Protocol;

namespace Danube.Fast.Client.Tests;

/// <summary>Messages above the frame limit against the fake broker: chunks out, chunks in, and what is left of messages that never end.</summary>
public sealed partial class LargeMessageTests : IAsyncLifetime
{
    private const string Topic = "/t/large";
    private const int ChunkBytes = 4096, ChunkPayload = ChunkBytes - ProtocolLimits.HeaderSize;
    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(60);

    private readonly FakeBroker _broker = new() { MaxFrame = ProtocolLimits.MaxFrameBeforeHello };
    private DanubeClient _client = null!;

    public async Task InitializeAsync() => _client = await DanubeClient.ConnectAsync(_broker.Url, ProducerTests.Fast());

    public async Task DisposeAsync()
    {
        await _client.DisposeAsync();
        _broker.Dispose();
    }

    private FakeSubscription Subscription => _broker.Topic(Topic).Subscriptions["s"];

    private static byte[] Random(int length, int seed)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private Task<Producer> Produce(string? name = null) => _client.CreateProducerAsync(new ProducerOptions { Topic = Topic, Name = name, ChunkBytes = ChunkBytes, MaxMessageBytes = 1 << 20 });

    private Task<Consumer> Subscribe(string start = "earliest", long maxBytes = 1 << 20) => _client.SubscribeAsync(new ConsumerOptions
    {
        Topic = Topic,
        Subscription = "s",
        Start = start,
        CreditBytes = 10_000,
        MaxChunkedBytes = maxBytes,
    });

    private static async Task<OwnedMessage> Receive(Consumer consumer, bool ack = true)
    {
        using var hang = new CancellationTokenSource(Hang);
        Message message = await consumer.ReceiveAsync(hang.Token);
        if (ack)
        {
            consumer.Ack(message);
        }

        return message.ToOwned();
    }

    /// <summary>Puts a chunk into the topic without a producer.</summary>
    private void Store(ulong producer, ulong sequence, int index, int of, byte[] payload, ushort attributes = 0)
    {
        FakeTopic topic = _broker.Topic(Topic);
        using var writer = new BatchWriter(1 << 20);
        Assert.True(writer.TryAppendBare(payload));
        var fields = new PublishFields
        {
            Flags = (index == 0 ? FrameFlags.ChunkBegin : 0) | (index == of - 1 ? FrameFlags.ChunkEnd : 0),
            Attributes = (ushort)(index + attributes),
            RawLength = index == 0 ? (uint)(payload.Length * of) : 0,
            ProducerId = producer,
            Sequence = sequence,
        };
        Store(topic, writer.Seal(fields, 0, Codec.None).ToArray());
    }

    private void StorePlain(ulong producer, ulong sequence, string text)
    {
        using var writer = new BatchWriter(1 << 20);
        Assert.True(writer.TryAppend(Encoding.UTF8.GetBytes(text)));
        Store(_broker.Topic(Topic), writer.Seal(new PublishFields { ProducerId = producer, Sequence = sequence }, 0, Codec.None).ToArray());
    }

    private void Store(FakeTopic topic, byte[] frame)
    {
        lock (_broker.Gate)
        {
            StreamHeaderWriter.Stamp(frame, topic.End, 1_000_000, 0, topic.Generation, 0);
            topic.Append(frame, topic.End);
        }
    }

    [Fact]
    public async Task Chunks_are_bare_frames_with_index_flags_and_the_length_in_the_first()
    {
        await using Producer producer = await Produce();
        byte[] payload = Random((20 * ChunkPayload) + 1, 1);
        Task<MessageId> small = producer.SendAsync("small"u8.ToArray()).AsTask();
        Task<MessageId> large = producer.SendAsync(new OutgoingMessage { Payload = payload, Key = "k"u8.ToArray(), Delay = TimeSpan.FromSeconds(3) }).AsTask();
        Task<MessageId> after = producer.SendAsync("after"u8.ToArray()).AsTask();
        Assert.Equal([0L, 21, 22], (await Task.WhenAll(small, large, after).WaitAsync(Hang)).Select(i => i.Offset));
        Assert.Equal(23ul, producer.LastSequence);
        FakeTopic topic = _broker.Topic(Topic);
        Assert.Equal(23, topic.Frames.Count);
        for (int i = 0; i <= 20; i++)
        {
            new RunReader(topic.Frame(i + 1)).TryRead(out StoredFrame frame);
            FrameFlags ends = (i == 0 ? FrameFlags.ChunkBegin : 0) | (i == 20 ? FrameFlags.ChunkEnd : 0);
            Assert.Equal(FrameFlags.Bare | FrameFlags.OneKey | ends, frame.Header.Flags);
            Assert.Equal(i, frame.Header.Attributes);
            Assert.Equal((ulong)i + 2, frame.Header.Sequence);
            Assert.Equal(KeyHash.Compute("k"u8), frame.Header.KeyHash);
            Assert.Equal(3000u, frame.Header.DelayMs);
            Assert.Equal((uint)(i == 0 ? payload.Length : frame.Payload.Length), frame.Header.RawLength);
            Assert.True(frame.Bytes.Length <= ChunkBytes);
            Assert.True(payload.AsSpan(i * ChunkPayload, frame.Payload.Length).SequenceEqual(frame.Payload));
        }
    }

    [Fact]
    public async Task A_large_message_passes_through_a_small_window_and_a_small_credit_and_its_acknowledgement_covers_all_chunks()
    {
        _broker.Window = 20_000;
        await using Producer producer = await Produce();
        byte[][] payloads = [.. Enumerable.Range(0, 5).Select(i => Random(100_000 + (i * 7919), i))];
        Task<MessageId>[] sends = [.. payloads.Select(p => producer.SendAsync(p).AsTask())];
        await using Consumer consumer = await Subscribe();
        var ids = new List<MessageId>();
        foreach (byte[] payload in payloads)
        {
            OwnedMessage message = await Receive(consumer);
            Assert.True(payload.AsSpan().SequenceEqual(message.Payload.Span));
            ids.Add(message.Id);
        }

        Assert.Equal(ids, await Task.WhenAll(sends).WaitAsync(Hang));
        await consumer.FlushAcksAsync();
        Assert.Equal(_broker.Topic(Topic).End, Subscription.MarkDelete);
        Assert.Equal(0, consumer.OrphanedChunks);
    }

    [Fact]
    public async Task Posts_of_large_messages_wait_for_room_and_are_flushed()
    {
        _broker.Window = 20_000;
        await using Producer producer = await Produce();
        for (int i = 0; i < 5; i++)
        {
            await producer.PostAsync(Random(90_000, i)).AsTask().WaitAsync(Hang);
            Assert.True(producer.TryPost("x"u8) || i >= 0);
        }

        await producer.FlushAsync().AsTask().WaitAsync(Hang);
        Assert.Equal((ulong)_broker.Topic(Topic).End, producer.LastSequence);
        Assert.Equal(ErrorCode.FrameTooLarge, Assert.Throws<DanubeException>(() => producer.TryPost(new byte[90_000])).Code);
    }

    [Fact]
    public async Task What_chunks_cannot_carry_is_refused()
    {
        await using Producer producer = await Produce();
        byte[] large = new byte[100_000];
        await Assert.ThrowsAsync<ArgumentException>(async () => await producer.SendAsync(new OutgoingMessage { Payload = large, Attributes = new(new KeyValuePair<string, string>("a", "b")) }));
        await Assert.ThrowsAsync<ArgumentException>(async () => await producer.PostAsync(new OutgoingMessage { Payload = large, EventTimeMicros = 1 }));
        DanubeException error = await Assert.ThrowsAsync<DanubeException>(async () => await producer.SendAsync(new byte[(1 << 20) + 1]));
        Assert.Equal(ErrorCode.MessageTooLarge, error.Code);
        Assert.Equal(0, _broker.Topic(Topic).End);
    }

    [Fact]
    public async Task A_connection_lost_in_the_middle_neither_loses_nor_repeats_a_chunk()
    {
        await using Producer producer = await Produce();
        await using Consumer consumer = await Subscribe();
        using var stop = new CancellationTokenSource();
        Task killer = Task.Run(async () =>
        {
            for (int i = 0; i < 8; i++)
            {
                await Task.Delay(15);
                _broker.HoldAcks = i % 2 == 0;
                await Task.Delay(5);
                _broker.KillConnections();
                _broker.ReleaseAcks();
            }

            await stop.CancelAsync();
        });
        var sends = new List<Task<MessageId>>();
        for (int i = 0; sends.Count < 10 || !stop.IsCancellationRequested; i++)
        {
            sends.Add(producer.SendAsync(Random(200_000, i)).AsTask());
            sends.Add(producer.SendAsync(Random(100, i)).AsTask());
            await sends[^1].WaitAsync(Hang);
        }

        await killer;
        MessageId[] ids = await Task.WhenAll(sends).WaitAsync(Hang);
        Assert.Equal((200_000 + ChunkPayload - 1) / ChunkPayload * (ids.Length / 2) + (ids.Length / 2), _broker.Topic(Topic).End);
        var seen = new Dictionary<MessageId, byte[]>();
        while (!seen.ContainsKey(ids[^1]))
        {
            OwnedMessage message = await Receive(consumer);
            seen[message.Id] = message.Payload.ToArray();
        }

        Assert.Equal(ids.Order(), seen.Keys.Order());
        for (int i = 0; i < ids.Length; i++)
        {
            Assert.True(Random(i % 2 == 0 ? 200_000 : 100, i / 2).AsSpan().SequenceEqual(seen[ids[i]]));
        }

        await consumer.FlushAcksAsync();
        await ProducerTests.Eventually(() => Subscription.MarkDelete == _broker.Topic(Topic).End);
        Assert.Equal(0, consumer.OrphanedChunks);
    }

    [Fact]
    public async Task A_chunk_that_is_refused_fails_the_message_and_leaves_orphans_that_the_consumer_clears_away()
    {
        int refused = 0;
        _broker.OnPublish = f => f.Sequence == 5 && refused++ == 0 ? ErrorCode.MessageTooLarge : ErrorCode.None;
        await using Producer producer = await Produce();
        Task<MessageId> first = producer.SendAsync(Random(50_000 + ProtocolLimits.MaxFrameBeforeHello, 1)).AsTask();
        Task<MessageId> second = producer.SendAsync(Random(100_000, 2)).AsTask();
        Assert.Equal(ErrorCode.MessageTooLarge, (await Assert.ThrowsAsync<DanubeException>(() => first.WaitAsync(Hang))).Code);
        MessageId id = await second.WaitAsync(Hang);
        await producer.FlushAsync().AsTask().WaitAsync(Hang);
        await using Consumer consumer = await Subscribe();
        OwnedMessage message = await Receive(consumer);
        Assert.Equal(id, message.Id);
        Assert.True(Random(100_000, 2).AsSpan().SequenceEqual(message.Payload.Span));
        await consumer.FlushAcksAsync();
        Assert.Equal(4, consumer.OrphanedChunks);
        Assert.Equal(_broker.Topic(Topic).End, Subscription.MarkDelete);
    }

    [Fact]
    public async Task A_post_refused_in_the_middle_is_told_by_the_flush()
    {
        _broker.Window = 10_000;
        int refused = 0;
        _broker.OnPublish = f => f.Sequence == 5 && refused++ == 0 ? ErrorCode.MessageTooLarge : ErrorCode.None;
        await using Producer producer = await Produce();
        await Assert.ThrowsAsync<DanubeException>(async () => await producer.PostAsync(Random(100_000, 1)).AsTask().WaitAsync(Hang));
        Assert.Equal(ErrorCode.MessageTooLarge, (await Assert.ThrowsAsync<DanubeException>(async () => await producer.FlushAsync().AsTask().WaitAsync(Hang))).Code);
        Assert.Equal(4, (await producer.SendAsync(new byte[1]).AsTask().WaitAsync(Hang)).Offset);
    }

    [Fact]
    public async Task A_cancelled_send_leaves_the_producer_intact()
    {
        _broker.HoldAcks = true;
        _broker.Window = 10_000;
        await using Producer producer = await Produce();
        using var cancel = new CancellationTokenSource();
        Task<MessageId> large = producer.SendAsync(Random(100_000, 1), cancel.Token).AsTask();
        Task<MessageId> behind = producer.SendAsync("behind"u8.ToArray()).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => large.WaitAsync(Hang));
        _broker.ReleaseAcks();
        MessageId id = await behind.WaitAsync(Hang);
        Assert.Equal(2, id.Offset);
        await using Consumer consumer = await Subscribe();
        Assert.Equal(id, (await Receive(consumer)).Id);
        Assert.Equal(2, consumer.OrphanedChunks);
    }
}
