using Danube.Fast.Client;

namespace Danube.Fast.EndToEnd.Tests.KillLoop;

/// <summary>
/// An idempotent producer under load: numbers its messages for each log, tells the ledgers what it posts and what is acknowledged. A long-lived one goes on through
/// broker restarts: the client resends what is in doubt, and nothing may be stored twice.
/// </summary>
internal sealed class LoadProducer : IAsyncDisposable
{
    private readonly LoadTopic _topic;
    private readonly int _id;
    private readonly CancellationTokenSource _stop = new();
    private Producer? _producer;
    private Task _loop = Task.CompletedTask;

    private LoadProducer(LoadTopic topic, int id, IReadOnlyList<LogLedger> ledgers, long[] firstNumbers)
    {
        _topic = topic;
        _id = id;
        byte[][][] keys = LoadLane.KeysOf(topic);
        Lanes = [.. ledgers.Select((l, i) => new LoadLane(l, id, keys[i], firstNumbers[i]))];
    }

    public int Id => _id;

    /// <summary>One for each log of the topic.</summary>
    public IReadOnlyList<LoadLane> Lanes { get; }

    public static async Task<LoadProducer> StartAsync(DanubeClient client, LoadTopic topic, int id, IReadOnlyList<LogLedger> ledgers, long[]? firstNumbers = null)
    {
        var load = new LoadProducer(topic, id, ledgers, firstNumbers ?? new long[ledgers.Count]);
        load._producer = await client.CreateProducerAsync(new ProducerOptions { Topic = topic.Name, Name = $"producer-{id}", OnAcknowledged = load.OnAcknowledged });
        load._loop = Task.Run(load.LoopAsync);
        return load;
    }

    /// <summary>Stops posting and waits until everything is acknowledged.</summary>
    public async Task FinishAsync()
    {
        await StopAsync();
        using var guard = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await _producer!.FlushAsync(guard.Token);
        Assert.All(Lanes, l => Assert.True(l.Next == l.NextAcknowledged, $"{l.Ledger.Log}: {l.Next} messages posted by producer {_id}, {l.NextAcknowledged} acknowledged"));
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
        try
        {
            await _producer!.DisposeAsync();
        }
        catch (DanubeException)
        {
            // Its last messages were never acknowledged: the broker is dead.
        }

        _stop.Dispose();
    }

    private async Task LoopAsync()
    {
        var random = new Random(_id);
        byte[] buffer = new byte[_topic.MaxPayload];
        try
        {
            while (!_stop.IsCancellationRequested)
            {
                for (int i = random.Next(1, _topic.Burst + 1); i > 0; i--)
                {
                    await Lanes[random.Next(Lanes.Count)].PostAsync(_producer!, buffer, random.Next(MarkedMessage.MinSize, buffer.Length + 1), random, _stop.Token);
                }

                await Task.Delay(random.Next(10, 50), _stop.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped, maybe while it waited for room.
        }
    }

    private void OnAcknowledged(in BatchAck ack) => Lanes[ack.Partition].OnAcknowledged(ack);
}
