using Danube.Fast.Client;

namespace Danube.Fast.Cli.Bench;

/// <summary>Receives and acknowledges everything on a subscription of its own.</summary>
internal sealed class BenchConsumer(BenchClock clock, string topic, string subscription, string? durability)
{
    private const int MessagesPerAck = 1000;

    private Client.Consumer? _consumer;

    /// <summary>From the publish time of a message to its being taken, on this machine's clock.</summary>
    public Meter Meter { get; } = new(clock);

    public async Task SubscribeAsync(DanubeClient client, CancellationToken cancellationToken) => _consumer = await client.SubscribeAsync(
        new ConsumerOptions { Topic = topic, Subscription = subscription, Start = "latest", Durability = durability }, cancellationToken);

    public async Task RunAsync(CancellationToken ended)
    {
        await Task.Yield();
        await using Client.Consumer consumer = _consumer!;
        try
        {
            int unacknowledged = 0;
            while (true)
            {
                if (!consumer.TryReceive(out Message message))
                {
                    message = await consumer.ReceiveAsync(ended);
                }

                Meter.Add((long)(DateTimeOffset.UtcNow - message.PublishTime).TotalMicroseconds, 1);
                if (consumer.PartitionCount > 1)
                {
                    consumer.Ack(message);
                }
                else if (++unacknowledged == MessagesPerAck)
                {
                    consumer.AckCumulative(message.Id);
                    unacknowledged = 0;
                }
            }
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            // All that was published is here, or is waited for no longer.
        }
    }
}
