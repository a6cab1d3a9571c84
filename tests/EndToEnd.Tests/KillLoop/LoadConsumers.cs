using Danube.Fast.Client;

namespace Danube.Fast.EndToEnd.Tests.KillLoop;

/// <summary>
/// The consumers of one topic's subscription. They acknowledge most messages one by one and leave some. Whatever they have not acknowledged must come again, so
/// at the end every offset was either acknowledged or received in the last round.
/// </summary>
internal sealed class LoadConsumers(LoadTopic topic, IReadOnlyList<TopicLedger> logs)
{
    private const string Subscription = "work";

    private long _received;

    public LoadTopic Topic { get; } = topic;

    /// <summary>One for each log; none of memory topics, whose cursors go with the broker.</summary>
    public CursorLedger[] Cursors { get; } = [.. logs.Select(l => new CursorLedger(topic, l, Subscription))];

    public long Received => Interlocked.Read(ref _received);

    /// <summary>Consumers at the same time: one where only one can be.</summary>
    public int Count => Topic.Type == SubscriptionType.Exclusive ? 1 : 2;

    /// <summary>One consumer, until the broker dies, if it is of this round only, or the token ends.</summary>
    public async Task RunAsync(DanubeClient client, int index, Func<int> round, CancellationToken cancellation)
    {
        try
        {
            await using Consumer consumer = await OpenAsync(client, index, cancellation);
            while (true)
            {
                Message message = await consumer.ReceiveAsync(cancellation);
                Interlocked.Increment(ref _received);
                if (Cursors.Length == 0 || Cursors[message.Id.Partition].OnReceived(message, round()))
                {
                    consumer.Ack(message);
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or DanubeException)
        {
            // The round is over.
        }
    }

    /// <summary>The last round: takes and acknowledges everything; afterwards no offset may be missing.</summary>
    public async Task FinishAsync(DanubeClient client)
    {
        if (Topic.IsMemory)
        {
            return;
        }

        foreach (CursorLedger cursor in Cursors)
        {
            cursor.BeginLast();
        }

        using var guard = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        await using Consumer consumer = await OpenAsync(client, 0, guard.Token);
        long due = Cursors.Sum(c => c.Missing());
        while (due > 0)
        {
            // Counted anew when as many have come as were missing: some of them may have been acknowledged before.
            for (; due > 0; due--)
            {
                Message message = await ReceiveAsync(consumer, due, guard.Token);
                Cursors[message.Id.Partition].OnReceivedLast(message);
                consumer.Ack(message);
            }

            due = Cursors.Sum(c => c.Missing());
        }

        await consumer.FlushAcksAsync(guard.Token);
    }

    private async ValueTask<Message> ReceiveAsync(Consumer consumer, long due, CancellationToken guard)
    {
        try
        {
            return await consumer.ReceiveAsync(guard);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"{Topic.Name}: {due} messages that nobody has acknowledged do not come again.");
        }
    }

    private Task<Consumer> OpenAsync(DanubeClient client, int index, CancellationToken cancellation) => client.SubscribeAsync(
        new ConsumerOptions { Topic = Topic.Name, Subscription = Subscription, Name = $"worker-{index}", Type = Topic.Type, Start = "earliest" }, cancellation);
}
