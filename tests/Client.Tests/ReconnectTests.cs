using System.Globalization;
using System.Text;
using Danube.Fast.Protocol;

namespace Danube.Fast.Client.Tests;

/// <summary>Lost connections against the fake broker: exact resend, no duplicates, consumers that come back.</summary>
public sealed class ReconnectTests : IDisposable
{
    private readonly FakeBroker _broker = new();

    public void Dispose() => _broker.Dispose();

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    [Theory]
    [InlineData(Codec.None, 1)]
    [InlineData(Codec.Brotli, 2)]
    public async Task Connections_killed_under_load_lose_and_repeat_nothing(Codec codec, int seed)
    {
        const int Count = 20_000;
        var random = new Random(seed);
        await using DanubeClient client = await DanubeClient.ConnectAsync(_broker.Url, ProducerTests.Fast());
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = "/t/r", MaxBatchBytes = 2048, Compression = codec, Name = "p" });
        using var stop = new CancellationTokenSource();
        Task killer = Task.Run(async () =>
        {
            for (int i = 0; i < 15; i++)
            {
                await Task.Delay(random.Next(5, 25));
                _broker.HoldAcks = i % 2 == 0;
                await Task.Delay(random.Next(1, 10));
                int connections = _broker.Connections;
                _broker.KillConnections();
                _broker.ReleaseAcks();
                await ProducerTests.Eventually(() => _broker.Connections > connections); // However long a busy machine takes to come back.
            }

            stop.Cancel();
        });
        var ids = new List<Task<MessageId>>();
        for (int i = 0; i < Count || !stop.IsCancellationRequested; i++)
        {
            ids.Add(producer.SendAsync(Bytes($"m{i}")).AsTask());
            if (i % 500 == 0)
            {
                await Task.Delay(1);
            }
        }

        await killer;
        MessageId[] all = await Task.WhenAll(ids).WaitAsync(TimeSpan.FromSeconds(180));
        Assert.Equal(Enumerable.Range(0, ids.Count).Select(i => (long)i), all.Select(i => i.Offset));
        Assert.Equal(Enumerable.Range(0, ids.Count).Select(i => $"m{i}"), _broker.Topic("/t/r").Payloads());
        Assert.True(_broker.Connections > 5);
    }

    [Fact]
    public async Task Frames_are_sent_again_unchanged_but_for_channel_and_header_crc()
    {
        _broker.Watch(FrameType.Publish);
        _broker.Blackhole = true;
        await using DanubeClient client = await DanubeClient.ConnectAsync(_broker.Url, ProducerTests.Fast());
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = "/t/r", MaxBatchRecords = 10, MaxPartialBatches = 3, Compression = Codec.Deflate });
        Task<MessageId>[] sends = [.. Enumerable.Range(0, 3).Select(i => producer.SendAsync(Encoding.UTF8.GetBytes(new string((char)('a' + i), 1000))).AsTask())];
        await ProducerTests.Eventually(() => _broker.Seen(FrameType.Publish).Length == 3);
        _broker.Blackhole = false;
        _broker.KillConnections();
        Assert.Equal([0L, 1, 2], (await Task.WhenAll(sends).WaitAsync(TimeSpan.FromSeconds(60))).Select(i => i.Offset));
        byte[][] frames = _broker.Seen(FrameType.Publish);
        Assert.Equal(6, frames.Length);
        for (int i = 0; i < 3; i++)
        {
            Assert.NotEqual(new StreamHeader(frames[i]).Channel, new StreamHeader(frames[i + 3]).Channel);
            Assert.True(frames[i].AsSpan(0, 12).SequenceEqual(frames[i + 3].AsSpan(0, 12)));
            Assert.True(frames[i].AsSpan(44, 80).SequenceEqual(frames[i + 3].AsSpan(44, 80)));
            Assert.True(frames[i].AsSpan(128).SequenceEqual(frames[i + 3].AsSpan(128)));
        }
    }

    [Fact]
    public async Task What_was_stored_but_not_acknowledged_gets_its_first_offset()
    {
        _broker.HoldAcks = true;
        await using DanubeClient client = await DanubeClient.ConnectAsync(_broker.Url, ProducerTests.Fast());
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = "/t/r" });
        Task<MessageId> send = producer.SendAsync(Bytes("once")).AsTask();
        await ProducerTests.Eventually(() => _broker.Topic("/t/r").End == 1);
        _broker.HoldAcks = false;
        _broker.KillConnections();
        Assert.Equal(0, (await send.WaitAsync(TimeSpan.FromSeconds(60))).Offset);
        Assert.Equal(1, _broker.Topic("/t/r").Duplicates);
        Assert.Equal(1, (await producer.SendAsync(Bytes("next"))).Offset);
    }

    [Fact]
    public async Task Messages_are_taken_while_the_broker_is_away_and_arrive_when_it_is_back()
    {
        var changes = new List<ConnectionState>();
        await using DanubeClient client = await DanubeClient.ConnectAsync(_broker.Url, new DanubeClientOptions
        {
            ReconnectDelay = TimeSpan.FromMilliseconds(5),
            MaxReconnectDelay = TimeSpan.FromMilliseconds(20),
            OnConnectionChange = c =>
            {
                lock (changes)
                {
                    changes.Add(c.State);
                }
            },
        });
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = "/t/r" });
        await producer.SendAsync(Bytes("before"));
        _broker.Suspend();
        for (int i = 0; i < 1000; i++)
        {
            Assert.True(producer.TryPost(Bytes($"m{i}")));
        }

        await Task.Delay(50);
        _broker.Resume();
        await producer.FlushAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(["before", .. Enumerable.Range(0, 1000).Select(i => $"m{i}")], _broker.Topic("/t/r").Payloads());
        await ProducerTests.Eventually(() =>
        {
            lock (changes)
            {
                return changes.Contains(ConnectionState.Lost) && changes.Contains(ConnectionState.Restored);
            }
        });
    }

    [Fact]
    public async Task A_consumer_comes_back_and_goes_on_where_it_has_acknowledged()
    {
        await using DanubeClient client = await DanubeClient.ConnectAsync(_broker.Url, ProducerTests.Fast());
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = "/t/r", MaxBatchRecords = 50 });
        await using Consumer consumer = await client.SubscribeAsync(new ConsumerOptions { Topic = "/t/r", Subscription = "s", Start = "earliest" });
        var received = new List<string>();
        int sent = 0;
        for (int round = 0; round < 8; round++)
        {
            for (int i = 0; i < 500; i++)
            {
                await producer.PostAsync(Bytes($"m{sent++}"));
            }

            while (received.Count < sent - 100)
            {
                using var hang = new CancellationTokenSource(TimeSpan.FromSeconds(60));
                Message message = await consumer.ReceiveAsync(hang.Token);
                received.Add(Encoding.UTF8.GetString(message.Payload.Span));
                await (received.Count % 100 == 0 ? consumer.AckAsync(message.Id) : Collect(consumer, message.Id));
            }

            await consumer.FlushAcksAsync();
            _broker.KillConnections();
        }

        // Nothing is acknowledged from here on: should the connection end once more (a busy machine answers pings late), these come again, and no earlier ones.
        await producer.FlushAsync();
        int acknowledged = received.Count;
        while (received.Count < sent)
        {
            string text = Encoding.UTF8.GetString((await consumer.ReceiveAsync()).Payload.Span);
            int number = int.Parse(text[1..], CultureInfo.InvariantCulture);
            Assert.InRange(number, acknowledged, received.Count);
            if (number == received.Count)
            {
                received.Add(text);
            }
        }

        Assert.Equal(Enumerable.Range(0, sent).Select(i => $"m{i}"), received);

        static ValueTask Collect(Consumer consumer, MessageId id)
        {
            consumer.Ack(id);
            return default;
        }
    }

    [Fact]
    public async Task What_was_acknowledged_before_the_connection_broke_is_not_seen_again()
    {
        await using DanubeClient client = await DanubeClient.ConnectAsync(_broker.Url, ProducerTests.Fast());
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = "/t/r" });
        await using Consumer consumer = await client.SubscribeAsync(new ConsumerOptions { Topic = "/t/r", Subscription = "s", Start = "earliest", AckInterval = TimeSpan.FromMinutes(1) });
        await producer.SendAsync(Bytes("a"));
        MessageId id = (await consumer.ReceiveAsync()).Id;
        _broker.Suspend();
        await Task.Delay(20);
        consumer.Ack(id);
        _broker.Resume();

        // A new epoch: the broker refuses the acknowledgement until it has delivered the message in it. Then the consumer answers by itself.
        ValueTask<Message> next = consumer.ReceiveAsync();
        await producer.SendAsync(Bytes("b"));
        Assert.Equal(1, (await next.AsTask().WaitAsync(TimeSpan.FromSeconds(60))).Offset);
        await consumer.FlushAcksAsync();
        Assert.Equal(1, _broker.Topic("/t/r").Subscriptions["s"].MarkDelete);
    }

    [Theory]
    [InlineData(ErrorCode.Draining)]
    [InlineData(ErrorCode.NotOwner)]
    public async Task A_channel_closed_for_a_while_is_opened_again(ErrorCode code)
    {
        await using DanubeClient client = await DanubeClient.ConnectAsync(_broker.Url, ProducerTests.Fast());
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = "/t/r" });
        await using Consumer consumer = await client.SubscribeAsync(new ConsumerOptions { Topic = "/t/r", Subscription = "s", Start = "earliest" });
        await producer.SendAsync(Bytes("a"));
        await consumer.AckAsync((await consumer.ReceiveAsync()).Id);
        int refusals = 3;
        _broker.OnRequest = _ => refusals-- > 0 ? code : ErrorCode.None;
        _broker.CloseChannels(code);
        Assert.Equal(1, (await producer.SendAsync(Bytes("b")).AsTask().WaitAsync(TimeSpan.FromSeconds(60))).Offset);
        Assert.Equal(1, (await consumer.ReceiveAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(60))).Offset);
        Assert.Equal(2, _broker.Connections);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_answer_that_comes_too_late_gives_its_channel_back(bool cancel)
    {
        _broker.HeldRequest = Commands.Subscribe;
        await using DanubeClient client = await DanubeClient.ConnectAsync(_broker.Url, new DanubeClientOptions { RequestTimeout = TimeSpan.FromMilliseconds(cancel ? 100_000 : 100) });
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(cancel ? 100 : 100_000));
        var options = new ConsumerOptions { Topic = "/t/r", Subscription = "s" };
        Exception error = await Assert.ThrowsAnyAsync<Exception>(() => client.SubscribeAsync(options, patience.Token));
        Assert.Equal(cancel, error is OperationCanceledException);
        _broker.ReleaseRequests();
        await ProducerTests.Eventually(() => _broker.ClosedByClient.Contains(_broker.LastChannel));
        await using DanubeClient patient = await DanubeClient.ConnectAsync(_broker.Url, ProducerTests.Fast());
        await using Consumer consumer = await patient.SubscribeAsync(options);
    }

    [Fact]
    public async Task Many_senders_with_cancellations_and_cut_connections_get_consistent_answers()
    {
        const int Senders = 4, Each = 4000;
        await using DanubeClient client = await DanubeClient.ConnectAsync(_broker.Url, ProducerTests.Fast());
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = "/t/r", MaxBatchBytes = 512, WindowBytes = 8192 });
        using var done = new CancellationTokenSource();
        Task killer = Task.Run(async () =>
        {
            while (!done.IsCancellationRequested)
            {
                // A connection lives until something was stored over it, or nothing would ever be on a busy machine.
                long end = _broker.Topic("/t/r").End;
                await Task.Delay(30);
                if (_broker.Topic("/t/r").End > end)
                {
                    _broker.KillConnections();
                }
            }
        });
        List<(string Text, MessageId Id)>[] stored = await Task.WhenAll(Enumerable.Range(0, Senders).Select(s => Task.Run(() => SendAsync(s)))).WaitAsync(TimeSpan.FromSeconds(180));
        done.Cancel();
        await killer;
        await producer.FlushAsync();
        List<string> log = _broker.Topic("/t/r").Payloads();
        Assert.Equal(log.Count, log.Distinct().Count());
        foreach ((string text, MessageId id) in stored.SelectMany(s => s))
        {
            Assert.Equal(text, log[(int)id.Offset]);
        }

        for (int s = 0; s < Senders; s++)
        {
            int[] order = [.. log.Where(t => t.StartsWith($"{s}:", StringComparison.Ordinal)).Select(t => int.Parse(t[2..], null))];
            Assert.Equal(order.Order(), order);
        }

        async Task<List<(string, MessageId)>> SendAsync(int sender)
        {
            var random = new Random(sender);
            var waiting = new List<(string Text, Task<MessageId> Send)>();
            var acknowledged = new List<(string, MessageId)>();
            for (int i = 0; i < Each; i++)
            {
                var cancel = new CancellationTokenSource();
                string text = $"{sender}:{i}";
                waiting.Add((text, producer.SendAsync(Bytes(text), i % 3 == 0 ? cancel.Token : default).AsTask()));
                if (i % 9 == 0)
                {
                    cancel.CancelAfter(random.Next(0, 3));
                }

                if (i % 100 == 99)
                {
                    foreach ((string sent, Task<MessageId> send) in waiting)
                    {
                        try
                        {
                            acknowledged.Add((sent, await send));
                        }
                        catch (OperationCanceledException)
                        {
                            // Stored or not: the caller does not know.
                        }
                    }

                    waiting.Clear();
                }
            }

            return acknowledged;
        }
    }
}
