using Danube.Fast.Client;

namespace Danube.Fast.Cli.Consume;

/// <summary>Messages of a named subscription, which keeps its position.</summary>
internal sealed class SubscriptionSource(Client.Consumer consumer, ConsumeSettings settings) : MessageSource
{
    private readonly PrintedMessages _printed = new(consumer, settings.NackDelay);

    public override bool Keeps => !settings.Acknowledge || settings.NackDelay is not null;

    public static async Task<MessageSource> OpenAsync(DanubeClient client, ConsumeSettings settings, CancellationToken cancellationToken)
    {
        Client.Consumer consumer = await client.SubscribeAsync(
            new ConsumerOptions
            {
                Topic = settings.Topic,
                Subscription = settings.Subscription!,
                Name = settings.Name,
                Type = settings.Type,
                Start = settings.From,
                Priority = settings.Priority,
                Policy = settings.Policy,
            },
            cancellationToken);
        return new SubscriptionSource(consumer, settings) { End = new EndOfTopic(consumer.PartitionCount, consumer.GetStartOffset, consumer.GetDurableEnd) };
    }

    public override bool TryReceive(out Message message) => consumer.TryReceive(out message);

    public override ValueTask<Message> ReceiveAsync(CancellationToken cancellationToken) => consumer.ReceiveAsync(cancellationToken);

    public override void OnPrinted(in Message message)
    {
        if (settings.Acknowledge)
        {
            _printed.Add(message);
        }
    }

    public override void OnHandedOver() => _printed.Settle();

    public override ValueTask FlushAsync(CancellationToken cancellationToken) => consumer.FlushAcksAsync(cancellationToken);

    public override Task LookForEndAsync(DanubeClient client, CancellationToken cancellationToken) =>
        End.LookAsync(client, settings.Topic, settings.Subscription!, cancellationToken);

    public override ValueTask DisposeAsync() => consumer.DisposeAsync();
}
