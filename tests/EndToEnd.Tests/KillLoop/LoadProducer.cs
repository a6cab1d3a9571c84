using Danube.Fast.Client;

namespace Danube.Fast.EndToEnd.Tests.KillLoop;

/// <summary>
/// An idempotent producer under load: numbers its messages, tells the ledger what it posts and what is acknowledged. It lives through broker
/// restarts: the client resends what is in doubt, and nothing may be stored twice.
/// </summary>
internal sealed class LoadProducer : IAsyncDisposable
{
    private const int PerBurst = 60, PauseMs = 8;

    private readonly TopicLedger _ledger;
    private readonly int _id;
    private readonly CancellationTokenSource _stop = new();
    private Producer? _producer;
    private Task _loop = Task.CompletedTask;
    private long _next;
    private long _nextAcknowledged;

    private LoadProducer(TopicLedger ledger, int id, long firstNumber)
    {
        _ledger = ledger;
        _id = id;
        _next = _nextAcknowledged = firstNumber;
    }

    /// <summary>Number of the next message.</summary>
    public long Next => Interlocked.Read(ref _next);

    public static async Task<LoadProducer> StartAsync(DanubeClient client, TopicLedger ledger, int id, long firstNumber)
    {
        var load = new LoadProducer(ledger, id, firstNumber);
        load._producer = await client.CreateProducerAsync(new ProducerOptions { Topic = ledger.Topic, Name = $"producer-{id}", OnAcknowledged = load.OnAcknowledged });
        load._loop = Task.Run(load.LoopAsync);
        return load;
    }

    /// <summary>Stops posting and waits until everything is acknowledged.</summary>
    public async Task FinishAsync()
    {
        await StopAsync();
        using var guard = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await _producer!.FlushAsync(guard.Token);
        Assert.Equal(_next, Interlocked.Read(ref _nextAcknowledged));
    }

    /// <summary>Stops posting; what is in doubt stays so.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _loop;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await _producer!.DisposeAsync();
        _stop.Dispose();
    }

    private async Task LoopAsync()
    {
        byte[] payload = new byte[MarkedMessage.Size];
        try
        {
            while (!_stop.IsCancellationRequested)
            {
                for (int i = 0; i < PerBurst; i++)
                {
                    MarkedMessage.Write(payload, _id, _next);
                    _ledger.OnPosting(_id, _next);
                    await _producer!.PostAsync(payload, _stop.Token);
                    Interlocked.Increment(ref _next);
                }

                await Task.Delay(PauseMs);
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped while it waited for room.
        }
    }

    // Batches are acknowledged in order, each once, so numbers follow by counting.
    private void OnAcknowledged(in BatchAck ack)
    {
        _ledger.OnAcknowledged(_id, Interlocked.Read(ref _nextAcknowledged), ack);
        Interlocked.Add(ref _nextAcknowledged, ack.Count);
    }
}
