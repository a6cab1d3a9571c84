using System.Diagnostics;
using Danube.Fast.Cli.Produce;
using Danube.Fast.Client;
using Danube.Fast.Protocol;

namespace Danube.Fast.Cli.Bench;

/// <summary>Publishes until it is told to stop, then waits for its acknowledgements.</summary>
internal sealed class BenchProducer(BenchClock clock, BenchSettings settings, string topic)
{
    // How often the end is looked for between two waits.
    private const int MessagesPerLook = 64;

    /// <summary>From the first message of a batch being handed over to its acknowledgement.</summary>
    public Meter Meter { get; } = new(clock);

    public async Task RunAsync(DanubeClient client, CancellationToken time)
    {
        await Task.Yield();
        Compression.TryParse(settings.Compression ?? "none", out Codec codec);
        var options = new ProducerOptions
        {
            Topic = topic,
            Durability = settings.Durability,
            Compression = codec,
            MaxBatchBytes = settings.BatchBytes ?? 64 * 1024,
            OnAcknowledged = OnAcknowledged,
        };
        await using Client.Producer producer = await client.CreateProducerAsync(options, CancellationToken.None);
        try
        {
            await PublishAsync(producer, time);
        }
        catch (OperationCanceledException) when (time.IsCancellationRequested)
        {
            // The time is over.
        }

        await producer.FlushAsync(CancellationToken.None);
    }

    private async Task PublishAsync(Client.Producer producer, CancellationToken time)
    {
        byte[] payload = new byte[settings.MessageBytes];
        new Random(settings.MessageBytes).NextBytes(payload);
        RatePacer? pacer = settings.Rate is { } rate ? new RatePacer(rate / settings.Producers) : null;
        while (!time.IsCancellationRequested)
        {
            for (int i = 0; i < MessagesPerLook; i++)
            {
                if (pacer is not null)
                {
                    await pacer.WaitAsync(time);
                }

                if (!producer.TryPost(payload))
                {
                    await producer.PostAsync(payload, time);
                }
            }
        }
    }

    private void OnAcknowledged(in BatchAck ack) => Meter.Add((long)Stopwatch.GetElapsedTime(ack.OpenedTimestamp).TotalMicroseconds, ack.Count);
}
