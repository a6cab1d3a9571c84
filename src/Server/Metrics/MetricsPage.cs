using Danube.Fast.Core;

namespace Danube.Fast.Server.Metrics;

/// <summary>
/// The pages of metrics, written from the registry. A reading disturbs nobody: every source is plain or striped memory, or read under a lock that is held for one
/// look at a subscription. While a part of the page is being sent, the next one is written: memory holds two parts, of a family or a piece each.
/// Runs on: HTTP requests.
/// </summary>
internal sealed class MetricsPage(MetricRegistry registry, TimeProvider clock)
{
    // Parts are held in memory while the page is sent: who takes longer for all of it gets no whole one.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    // Sent at once. Each piece waits until the connection takes it: megabytes at once would be copied into as much new memory.
    private const int PieceBytes = 64 * 1024;

    /// <summary>Writes all families.</summary>
    /// <param name="to">Gets the page, in pieces.</param>
    /// <param name="format">How.</param>
    /// <param name="topic">Only series of this topic, in full; null = everything, within the limit of series.</param>
    /// <param name="cancellationToken">Nobody wants it any more.</param>
    /// <exception cref="IOException">The stream takes nothing any more.</exception>
    /// <exception cref="OperationCanceledException">Nobody wants it any more, or the stream did not take all of it within 30 s.</exception>
    public async Task WriteAsync(Stream to, PageFormat format, string? topic, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Patience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        await WriteFamiliesAsync(to, format, topic, either.Token);
    }

    private async Task WriteFamiliesAsync(Stream to, PageFormat format, string? topic, CancellationToken cancellationToken)
    {
        var reading = new MetricReading(topic);
        PrometheusWriter writing = PrometheusWriter.Rent(format), sending = PrometheusWriter.Rent(format);
        Task sent = Task.CompletedTask;
        try
        {
            foreach (MetricFamily family in registry.Families)
            {
                if (topic is not null && !family.IsPerTopic)
                {
                    continue;
                }

                writing.Begin(family);
                family.Read(reading, writing);
                if (writing.Written.Length >= PieceBytes)
                {
                    await sent;
                    sending.Clear();
                    (writing, sending) = (sending, writing);
                    sent = SendAsync(to, sending.Written, cancellationToken);
                }
            }

            writing.End();
            await sent;
            await SendAsync(to, writing.Written, cancellationToken);
        }
        finally
        {
            // What is still being sent is not given to the next page.
            await sent.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            writing.Return();
            sending.Return();
        }
    }

    private static async Task SendAsync(Stream to, ReadOnlyMemory<byte> part, CancellationToken cancellationToken)
    {
        for (; !part.IsEmpty; part = part[Math.Min(PieceBytes, part.Length)..])
        {
            await to.WriteAsync(part[..Math.Min(PieceBytes, part.Length)], cancellationToken);
        }
    }
}
