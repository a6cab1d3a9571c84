using System.Diagnostics;

namespace Danube.Fast.Client.Tests;

/// <summary>Steady state allocates nothing per message: counted over the whole process, fake broker included.</summary>
[Collection(nameof(AllocationTests))]
[CollectionDefinition(nameof(AllocationTests), DisableParallelization = true)]
public sealed class AllocationTests : IAsyncLifetime
{
    private const int Count = 200_000, KeyedCount = 60_000;

    // What timers, the thread pool (it comes and goes with the load of the machine) and the runtime itself may take during a run: about a byte per message, where the smallest object takes 24.
    private const long Slack = 64 * 1024;

    // The first rounds allocate until the compiler, which works in the background, is done with what they run: the last tier of the code keeps short-lived objects off the heap. On a loaded machine
    // that takes longer than all of them, so there are more, with pauses in between: a minute together.
    private const int Rounds = 5, MoreRounds = 6;

    private readonly FakeBroker _broker = new();
    private readonly byte[] _payload = new byte[100];
    private readonly byte[] _keys = [.. Enumerable.Range(0, 40).Select(i => (byte)i)];
    private DanubeClient _client = null!;
    private int _roundsRun;

    public async Task InitializeAsync()
    {
        _broker.Topic("/t/alloc").Reserve(300 << 20);
        _client = await DanubeClient.ConnectAsync(_broker.Url);
    }

    public async Task DisposeAsync()
    {
        await _client.DisposeAsync();
        _broker.Dispose();
    }

    [Fact]
    public async Task Posting_receiving_and_acknowledging()
    {
        await using Producer producer = await _client.CreateProducerAsync(new ProducerOptions { Topic = "/t/alloc" });
        await using Consumer consumer = await _client.SubscribeAsync(new ConsumerOptions { Topic = "/t/alloc", Subscription = "s", Start = "earliest" });
        _broker.Topic("/t/alloc").Subscriptions["s"].ForgetAcks = true;
        await MeasureAsync(Count, () => Task.WhenAll(PostAll(producer), ReceiveAll(consumer)));
    }

    /// <summary>A listener costs posted and received messages nothing that are not sampled, whatever it would sample.</summary>
    [Fact]
    public async Task Posting_and_receiving_what_is_not_sampled_while_somebody_listens()
    {
        using var listener = new ActivityListener
        {
            ShouldListenTo = s => s.Name == DanubeTelemetry.ActivitySourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
        };
        ActivitySource.AddActivityListener(listener);
        await Posting_receiving_and_acknowledging();
    }

    /// <summary>Sends may begin a trace, so the listener is asked each time; when it says no, that is all.</summary>
    [Fact]
    public async Task Sending_while_somebody_listens_and_samples_nothing()
    {
        long asked = 0;
        using var listener = new ActivityListener
        {
            ShouldListenTo = s => s.Name == DanubeTelemetry.ActivitySourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) =>
            {
                asked++;
                return ActivitySamplingResult.None;
            },
        };
        ActivitySource.AddActivityListener(listener);
        await Sending_and_awaiting_in_windows();
        Assert.Equal(_roundsRun * Count, asked);
    }

    [Fact]
    public async Task Sending_and_awaiting_in_windows()
    {
        await using Producer producer = await _client.CreateProducerAsync(new ProducerOptions { Topic = "/t/alloc" });
        var window = new ValueTask<MessageId>[1000];
        await MeasureAsync(Count, () => SendAll(producer, window));
    }

    [Fact]
    public async Task Posting_by_key_with_delays_and_reading()
    {
        await using Producer producer = await _client.CreateProducerAsync(new ProducerOptions { Topic = "/t/alloc", BatchByKey = true });
        await using Reader reader = await _client.CreateReaderAsync(new ReaderOptions { Topic = "/t/alloc", Start = "latest" });
        _broker.Topic("/t/alloc").Subscriptions.Values.Single().ForgetAcks = true;
        await MeasureAsync(KeyedCount, () => Task.WhenAll(PostKeys(producer), ReadAll(reader)));
    }

    private async Task MeasureAsync(int messages, Func<Task> round)
    {
        long best = long.MaxValue;
        for (; _roundsRun < Rounds || (best >= Slack && _roundsRun < Rounds + MoreRounds); _roundsRun++)
        {
            await Task.Delay(TimeSpan.FromSeconds(_roundsRun < Rounds ? 0 : 1 << (_roundsRun - Rounds)));
            long before = GC.GetTotalAllocatedBytes(precise: true);
            await round();
            best = Math.Min(best, GC.GetTotalAllocatedBytes(precise: true) - before);
        }

        Assert.True(best < Slack, $"{best} bytes for {messages} messages");
    }

    private async Task PostKeys(Producer producer)
    {
        for (int i = 0; i < KeyedCount; i++)
        {
            await producer.PostAsync(new OutgoingMessage
            {
                Payload = _payload,
                Key = new ReadOnlyMemory<byte>(_keys, i % 20, 8),
                Delay = TimeSpan.FromMilliseconds(i / 1000 % 2),
            });
        }

        await producer.FlushAsync();
    }

    private static async Task ReadAll(Reader reader)
    {
        await Task.Yield();
        for (int i = 0; i < KeyedCount; i++)
        {
            if ((await reader.ReceiveAsync()).Payload.Length != 100)
            {
                throw new InvalidDataException("wrong length");
            }
        }
    }

    private async Task PostAll(Producer producer)
    {
        var message = new OutgoingMessage { Payload = _payload, Key = new ReadOnlyMemory<byte>(_payload, 0, 8), EventTimeMicros = 1 };
        for (int i = 0; i < Count; i++)
        {
            await ((i & 1) == 0 ? producer.PostAsync(_payload) : producer.PostAsync(message));
        }

        await producer.FlushAsync();
    }

    private static async Task ReceiveAll(Consumer consumer)
    {
        await Task.Yield();
        for (int i = 0; i < Count; i++)
        {
            Message message = await consumer.ReceiveAsync();
            if (message.Payload.Length != 100)
            {
                throw new InvalidDataException("wrong length");
            }

            consumer.Ack(message);
        }

        await consumer.FlushAcksAsync();
    }

    private async Task SendAll(Producer producer, ValueTask<MessageId>[] window)
    {
        for (int i = 0; i < Count; i += window.Length)
        {
            for (int k = 0; k < window.Length; k++)
            {
                window[k] = producer.SendAsync(_payload);
            }

            for (int k = 0; k < window.Length; k++)
            {
                await window[k];
            }
        }
    }
}
