using System.Text;
using Danube.Fast.Protocol;

namespace Danube.Fast.Client.Tests;

/// <summary>Readers against the fake broker, which forgets a reader's subscription with its connection as the real one does.</summary>
public sealed class ReaderTests : IAsyncLifetime
{
    private const string Topic = "/t/read";
    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(60);

    private readonly FakeBroker _broker = new();
    private DanubeClient _client = null!;

    public async Task InitializeAsync() => _client = await DanubeClient.ConnectAsync(_broker.Url, ProducerTests.Fast());

    public async Task DisposeAsync()
    {
        await _client.DisposeAsync();
        _broker.Dispose();
    }

    private async Task Publish(int count, int from = 0, string topic = Topic)
    {
        await using Producer producer = await _client.CreateProducerAsync(new ProducerOptions { Topic = topic, MaxBatchRecords = 7 });
        for (int i = from; i < from + count; i++)
        {
            await producer.PostAsync(Encoding.UTF8.GetBytes($"m{i}"));
        }

        await producer.FlushAsync();
    }

    private static async Task<string> Next(Reader reader)
    {
        using var hang = new CancellationTokenSource(Hang);
        Message message = await reader.ReceiveAsync(hang.Token);
        return Encoding.UTF8.GetString(message.Payload.Span);
    }

    [Fact]
    public async Task Everything_is_read_once_and_acknowledged_behind_the_reader()
    {
        await Publish(1000);
        await using Reader reader = await _client.CreateReaderAsync(new ReaderOptions { Topic = Topic, CreditRecords = 50 });
        Assert.False(reader.HasReachedEnd);
        Assert.Equal(1000, reader.DurableEnd);
        for (int i = 0; !reader.HasReachedEnd; i++)
        {
            Assert.Equal($"m{i}", await Next(reader));
        }

        Assert.False(reader.TryReceive(out _));
        FakeSubscription subscription = Assert.Single(_broker.Topic(Topic).Subscriptions.Values);
        await ProducerTests.Eventually(() => subscription.MarkDelete == 1000);
        await Publish(1, from: 1000);
        Assert.Equal("m1000", await Next(reader));
        Assert.True(reader.HasReachedEnd);
    }

    [Theory]
    [InlineData("offset:500", 500)]
    [InlineData("latest", 1000)]
    public async Task Reading_begins_where_it_was_asked_to(string start, int first)
    {
        await Publish(1000);
        await using Reader reader = await _client.CreateReaderAsync(new ReaderOptions { Topic = Topic, Start = start });
        Assert.Equal(first, reader.StartOffset);
        Assert.Equal(first == 1000, reader.HasReachedEnd);
        await Publish(1, from: 1000);
        Assert.Equal($"m{first}", await Next(reader));
    }

    [Fact]
    public async Task After_a_lost_connection_it_goes_on_behind_the_last_message()
    {
        await using Reader reader = await _client.CreateReaderAsync(new ReaderOptions { Topic = Topic, Start = "latest", CreditRecords = 100 });
        await Publish(5000);
        for (int i = 0; i < 5000; i++)
        {
            Assert.Equal($"m{i}", await Next(reader));
            if (i % 700 == 350)
            {
                _broker.KillConnections();
            }
        }

        Assert.False(reader.TryReceive(out _));
        Assert.Equal("latest", _broker.ReaderStarts[0]);
        Assert.True(_broker.ReaderStarts.Count > 3);
        Assert.All(_broker.ReaderStarts.Skip(1), s => Assert.InRange(int.Parse(s["offset:".Length..], null), 351, 5000));
    }

    [Fact]
    public async Task A_reader_that_has_read_nothing_goes_on_where_it_began()
    {
        await Publish(10);
        await using Reader reader = await _client.CreateReaderAsync(new ReaderOptions { Topic = Topic, Start = "latest" });
        _broker.KillConnections();
        await ProducerTests.Eventually(() => _broker.ReaderStarts.Count == 2);
        Assert.Equal("offset:10", _broker.ReaderStarts[1]);
    }

    [Fact]
    public async Task A_connection_lost_within_a_large_message_takes_it_from_its_beginning()
    {
        FakeTopic topic = _broker.Topic(Topic);
        for (int i = 0; i < 3; i++)
        {
            Store(topic, 1, (ulong)(5 + i), [.. BitConverter.GetBytes(i)], i, 4);
            Store(topic, 2, (ulong)(1 + i), Encoding.UTF8.GetBytes($"m{i}"), 0, 1);
        }

        await using Reader reader = await _client.CreateReaderAsync(new ReaderOptions { Topic = Topic });
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal($"m{i}", await Next(reader));
        }

        for (int round = 0; round < 3; round++)
        {
            int openings = _broker.ReaderStarts.Count;
            _broker.KillConnections();
            await ProducerTests.Eventually(() => _broker.ReaderStarts.Count > openings);
        }

        Store(topic, 1, 8, [3, 0, 0, 0], 3, 4);
        await Publish(1, from: 3);
        using var hang = new CancellationTokenSource(Hang);
        Message message = await reader.ReceiveAsync(hang.Token);
        Assert.Equal(16, message.Payload.Length);
        Assert.Equal("m3", await Next(reader));
        Assert.All(_broker.ReaderStarts.Skip(1), s => Assert.Equal("offset:0", s));
        Assert.Equal(0, reader.OrphanedChunks);
        _broker.KillConnections();
        await ProducerTests.Eventually(() => _broker.ReaderStarts[^1] == "offset:8");
    }

    [Fact]
    public async Task Partitions_are_read_all()
    {
        _broker.Partitioned["/t/parts"] = 3;
        for (int i = 0; i < 3; i++)
        {
            await Publish(100, from: i * 100, topic: $"/t/parts-part-{i}");
        }

        await using Reader reader = await _client.CreateReaderAsync(new ReaderOptions { Topic = "/t/parts" });
        Assert.Equal(3, reader.PartitionCount);
        var seen = new List<string>();
        for (int i = 0; !reader.HasReachedEnd; i++)
        {
            seen.Add(await Next(reader));
            if (i is 50 or 120)
            {
                _broker.KillConnections();
            }
        }

        Assert.Equal(Enumerable.Range(0, 300).Select(i => $"m{i}").Order(), seen.Order());
    }

    [Fact]
    public async Task Reading_all_ends_with_the_reader()
    {
        await Publish(10);
        Reader reader = await _client.CreateReaderAsync(new ReaderOptions { Topic = Topic });
        int count = 0;
        await foreach (Message message in reader.ReadAllAsync())
        {
            Assert.Equal(count++, message.Offset);
            if (count == 10)
            {
                await reader.DisposeAsync();
            }
        }

        Assert.Equal(10, count);
        await Assert.ThrowsAsync<DanubeException>(async () => await reader.ReceiveAsync());
    }

    private void Store(FakeTopic topic, ulong producer, ulong sequence, byte[] payload, int index, int of)
    {
        using var writer = new BatchWriter(1 << 20);
        Assert.True(of == 1 ? writer.TryAppend(payload) : writer.TryAppendBare(payload));
        var fields = new PublishFields { ProducerId = producer, Sequence = sequence, Attributes = (ushort)index, RawLength = of > 1 && index == 0 ? (uint)(payload.Length * of) : 0 };
        fields.Flags = of == 1 ? 0 : (index == 0 ? FrameFlags.ChunkBegin : 0) | (index == of - 1 ? FrameFlags.ChunkEnd : 0);
        byte[] frame = writer.Seal(fields, 0, Codec.None).ToArray();
        lock (_broker.Gate)
        {
            StreamHeaderWriter.Stamp(frame, topic.End, 1_000_000, 0, topic.Generation, 0);
            topic.Append(frame, topic.End);
        }
    }
}
