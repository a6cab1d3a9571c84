using System.Buffers.Binary;
using System.Diagnostics;
using Danube.Fast.Client;
using Danube.Fast.Harness;
using Danube.Fast.Protocol;

namespace Danube.Fast.Bench.Fuzz;

/// <summary>
/// The other connections: a producer and a consumer that go on at a steady pace during the run. Every message must be acknowledged, arrive once
/// and in order, and no connection may be lost.
/// </summary>
internal sealed class ControlPair : IAsyncDisposable
{
    private const string Topic = "/fuzz/control";
    private const int PauseMs = 5, PerPause = 5;

    private readonly DanubeClient _client;
    private readonly Producer _producer;
    private readonly Consumer _consumer;
    private readonly FuzzTally _tally;
    private readonly CancellationTokenSource _stop = new();
    private readonly LatencyHistogram _latency = new();
    private Task _producing = Task.CompletedTask;
    private Task _consuming = Task.CompletedTask;
    private long _sent;
    private long _received;

    private ControlPair(DanubeClient client, Producer producer, Consumer consumer, FuzzTally tally)
    {
        _client = client;
        _producer = producer;
        _consumer = consumer;
        _tally = tally;
    }

    public long Sent => _sent;
    public long Received => Interlocked.Read(ref _received);

    /// <summary>Call of the producer to the consumer's hands, ns. Read it after <see cref="FinishAsync"/>.</summary>
    public LatencyHistogram Latency => _latency;

    public static async Task<ControlPair> StartAsync(string url, FuzzTally tally)
    {
        var options = new DanubeClientOptions { OnConnectionChange = change => tally.Fail($"the control pair's connection: {change.State}, {change.Cause?.Message}") };
        DanubeClient client = await DanubeClient.ConnectAsync(url, options);
        await client.CreateTopicAsync(new TopicSpec { Topic = Topic, Durability = "fsync" });
        Consumer consumer = await client.SubscribeAsync(new ConsumerOptions { Topic = Topic, Subscription = "control", Start = "earliest" });
        Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = Topic });
        var pair = new ControlPair(client, producer, consumer, tally);
        pair._producing = Task.Run(pair.ProduceAsync);
        pair._consuming = Task.Run(pair.ConsumeAsync);
        return pair;
    }

    /// <summary>Stops the producer, waits for the last message and checks that nothing is left on the broker.</summary>
    public async Task FinishAsync()
    {
        await _stop.CancelAsync();
        await _producing;
        long started = Environment.TickCount64;
        while (Received < _sent && Environment.TickCount64 - started < FuzzRun.HangGuard.TotalMilliseconds)
        {
            await Task.Delay(10);
        }

        if (Received != _sent)
        {
            _tally.Fail($"the control pair sent {_sent} messages and received {Received}");
            return;
        }

        await _consumer.FlushAcksAsync(CancellationToken.None);
        long backlog = (await _client.DescribeTopicAsync(Topic)).Subscriptions.Single(s => s.Name == "control").Backlog;
        if (backlog != 0)
        {
            _tally.Fail($"the control pair acknowledged everything, and the broker still counts {backlog}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _consumer.DisposeAsync();
        await _consuming;
        await _producer.DisposeAsync();
        await _client.DisposeAsync();
        _stop.Dispose();
    }

    private async Task ProduceAsync()
    {
        byte[] payload = new byte[64];
        try
        {
            while (!_stop.IsCancellationRequested)
            {
                for (int i = 0; i < PerPause; i++)
                {
                    BinaryPrimitives.WriteInt64LittleEndian(payload, _sent);
                    BinaryPrimitives.WriteInt64LittleEndian(payload.AsSpan(8), Stopwatch.GetTimestamp());
                    await _producer.PostAsync(payload);
                    _sent++;
                }

                await Task.Delay(PauseMs);
            }

            await _producer.FlushAsync();
        }
        catch (Exception e)
        {
            _tally.Fail("the control producer failed: " + e.Message);
        }
    }

    private async Task ConsumeAsync()
    {
        try
        {
            await foreach (Message message in _consumer.ReadAllAsync())
            {
                long number = BinaryPrimitives.ReadInt64LittleEndian(message.Payload.Span);
                if (number != _received || message.Id.Offset != number)
                {
                    _tally.Fail($"the control consumer expected message {_received} and got {number} at offset {message.Id.Offset}");
                }

                _latency.Record((long)Stopwatch.GetElapsedTime(BinaryPrimitives.ReadInt64LittleEndian(message.Payload.Span[8..])).TotalNanoseconds);
                _consumer.Ack(message);
                Interlocked.Increment(ref _received);
            }
        }
        catch (Exception e) when (_stop.IsCancellationRequested && e is ObjectDisposedException or OperationCanceledException or DanubeException)
        {
            // Disposed at the end of the run.
        }
        catch (Exception e)
        {
            _tally.Fail("the control consumer failed: " + e.Message);
        }
    }
}
