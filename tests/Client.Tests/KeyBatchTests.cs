using System.Text;
using Danube.Fast.Protocol;

namespace Danube.Fast.Client.Tests;

/// <summary>Batching by key: one key per frame, order within each key, bounded number of open batches.</summary>
public sealed class KeyBatchTests : IAsyncLifetime
{
    private const string Topic = "/t/k";

    private readonly FakeBroker _broker = new();
    private DanubeClient _client = null!;

    public async Task InitializeAsync() => _client = await DanubeClient.ConnectAsync(_broker.Url, ProducerTests.Fast());

    public async Task DisposeAsync()
    {
        await _client.DisposeAsync();
        _broker.Dispose();
    }

    private Task<Producer> Produce(long window = ProtocolLimits.DefaultProducerWindow, int perBatch = 65_536, int bytes = 64 * 1024) => _client.CreateProducerAsync(
        new ProducerOptions { Topic = Topic, BatchByKey = true, WindowBytes = window, MaxBatchRecords = perBatch, MaxBatchBytes = bytes });

    private static OutgoingMessage Message(int? key, string text) => key is { } number
        ? new OutgoingMessage { Key = Encoding.UTF8.GetBytes($"k{number}"), Payload = Encoding.UTF8.GetBytes(text) }
        : new OutgoingMessage { Payload = Encoding.UTF8.GetBytes(text) };

    /// <summary>Checks that every frame has one key and the sequences are dense; gives the payloads by key.</summary>
    private Dictionary<string, List<string>> Read(out int frames)
    {
        var all = new Dictionary<string, List<string>>();
        FakeTopic topic = _broker.Topic(Topic);
        ulong next = 1;
        frames = topic.Frames.Count;
        for (int i = 0; i < frames; i++)
        {
            new RunReader(topic.Frame(i)).TryRead(out StoredFrame frame);
            Assert.Equal(next, frame.Header.Sequence);
            next += frame.Header.RecordCount;
            var reader = new RecordReader(frame.Payload);
            string? first = null;
            while (reader.TryRead(out Protocol.Record record))
            {
                string key = (record.Flags & RecordFlags.Key) == 0 ? "-" : Encoding.UTF8.GetString(record.Key);
                Assert.Equal(first ??= key, key);
                bool hasKey = key != "-";
                Assert.Equal(hasKey, (frame.Header.Flags & FrameFlags.OneKey) != 0);
                Assert.Equal(hasKey ? KeyHash.Compute(record.Key) : 0, frame.Header.KeyHash);
                if (!all.TryGetValue(key, out List<string>? list))
                {
                    all.Add(key, list = []);
                }

                list.Add(Encoding.UTF8.GetString(record.Payload));
            }
        }

        return all;
    }

    [Fact]
    public async Task Mixed_keys_become_one_batch_for_each()
    {
        _broker.HoldAcks = true;
        await using Producer producer = await Produce();
        Assert.True(producer.TryPost(Message(0, "first")));
        await ProducerTests.Eventually(() => _broker.Topic(Topic).Frames.Count == 1);
        for (int i = 0; i < 400; i++)
        {
            Assert.True(producer.TryPost(Message(i % 4 == 3 ? null : i % 4, $"{i}")));
        }

        _broker.ReleaseAcks();
        await producer.FlushAsync();
        Dictionary<string, List<string>> all = Read(out int frames);
        Assert.Equal(5, frames);
        Assert.Equal(["first", .. Enumerable.Range(0, 100).Select(i => $"{i * 4}")], all["k0"]);
        Assert.Equal(Enumerable.Range(0, 100).Select(i => $"{(i * 4) + 3}"), all["-"]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Order_within_a_key_and_dense_sequences_hold_for_many_keys_in_a_small_window_and_lost_connections(int seed)
    {
        const int Count = 20_000, Keys = 60;
        var random = new Random(seed);
        await using Producer producer = await Produce(window: 8000, perBatch: 20, bytes: 512);
        var sends = new List<Task<MessageId>>();
        var expected = new Dictionary<string, List<string>>();
        for (int i = 0; i < Count; i++)
        {
            int? key = random.Next(Keys) is var k and > 0 ? k : null;
            string name = key is null ? "-" : $"k{key}";
            if (!expected.TryGetValue(name, out List<string>? list))
            {
                expected.Add(name, list = []);
            }

            list.Add($"{i}");
            if (random.Next(3) == 0)
            {
                await producer.PostAsync(Message(key, $"{i}")).AsTask().WaitAsync(TimeSpan.FromSeconds(60));
            }
            else
            {
                sends.Add(producer.SendAsync(Message(key, $"{i}")).AsTask());
            }

            if (i % 4000 == 1999)
            {
                _broker.KillConnections();
            }
        }

        await producer.FlushAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(60));
        MessageId[] ids = await Task.WhenAll(sends).WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(ids.Length, ids.Distinct().Count());
        await producer.FlushAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(60));
        Dictionary<string, List<string>> all = Read(out _);
        Assert.Equal(expected.Keys.Order(), all.Keys.Order());
        Assert.All(expected, e => Assert.Equal(e.Value, all[e.Key]));
    }

    [Fact]
    public async Task Ids_are_those_of_the_messages()
    {
        _broker.HoldAcks = true;
        await using Producer producer = await Produce();
        Task<MessageId>[] sends = [.. Enumerable.Range(0, 200).Select(i => producer.SendAsync(Message(i % 3, $"{i}")).AsTask())];
        _broker.ReleaseAcks();
        MessageId[] ids = await Task.WhenAll(sends).WaitAsync(TimeSpan.FromSeconds(60));
        List<string> payloads = _broker.Topic(Topic).Payloads();
        Assert.Equal(Enumerable.Range(0, 200).Select(i => $"{i}"), ids.Select(i => payloads[(int)i.Offset]));
    }

    [Fact]
    public async Task A_message_above_the_frame_limit_goes_behind_what_was_collected_before()
    {
        _broker.HoldAcks = true;
        await using Producer producer = await Produce();
        Task<MessageId>[] sends =
        [
            producer.SendAsync(Message(1, "a")).AsTask(),
            producer.SendAsync(Message(2, "b")).AsTask(),
            producer.SendAsync(new OutgoingMessage { Key = Encoding.UTF8.GetBytes("k2"), Payload = new byte[9_000_000] }).AsTask(),
            producer.SendAsync(Message(2, "c")).AsTask(),
        ];
        _broker.ReleaseAcks();
        MessageId[] ids = await Task.WhenAll(sends).WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(ids.Order(), ids);
        Assert.Equal(1, ids[1].Offset);
        Assert.Equal(ids[2].Offset + 1, ids[3].Offset);
    }
}
