using System.Diagnostics;
using Danube.Fast.Cli.Produce;
using Danube.Fast.Client;
using Danube.Fast.Protocol;

namespace Danube.Fast.Cli.Demo;

/// <summary>Publishes the lines of the demo's file and keeps the time of every acknowledgement.</summary>
internal sealed class DemoPublisher
{
    private readonly LatencyHistogram _latencies = new();
    private long _acknowledged;

    /// <summary>Messages acknowledged so far.</summary>
    public long Acknowledged => Volatile.Read(ref _acknowledged);

    /// <summary>From the first message of a batch being handed over to the batch's acknowledgement; complete after <see cref="RunAsync"/>.</summary>
    public LatencyHistogram Latencies => _latencies;

    /// <summary>Publishes; returns when all is acknowledged, with the time it took.</summary>
    public async Task<TimeSpan> RunAsync(DanubeClient client, string topic, DemoInput input, CancellationToken cancellationToken)
    {
        await using Client.Producer producer = await client.CreateProducerAsync(
            new ProducerOptions { Topic = topic, OnAcknowledged = OnAcknowledged }, cancellationToken);
        await using var stream = new FileStream(input.Path, new FileStreamOptions { BufferSize = 0, Options = FileOptions.SequentialScan });
        var reader = new LineReader(stream, ProtocolLimits.DefaultMaxFrame - (128 * 1024));
        long started = Stopwatch.GetTimestamp();
        while (await reader.FillAsync(cancellationToken))
        {
            while (reader.TryRead(out ReadOnlyMemory<byte> line))
            {
                if (!producer.TryPost(line.Span))
                {
                    await producer.PostAsync(line, cancellationToken);
                }
            }
        }

        await producer.FlushAsync(cancellationToken);
        return Stopwatch.GetElapsedTime(started);
    }

    // Runs on the thread that receives acknowledgements.
    private void OnAcknowledged(in BatchAck ack)
    {
        _latencies.Add((long)Stopwatch.GetElapsedTime(ack.OpenedTimestamp).TotalMicroseconds, ack.Count);
        Volatile.Write(ref _acknowledged, _acknowledged + ack.Count);
    }
}
