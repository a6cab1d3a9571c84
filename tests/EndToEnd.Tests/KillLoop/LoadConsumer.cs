using System.Collections;
using Danube.Fast.Client;
using Danube.Fast.Protocol;

namespace Danube.Fast.EndToEnd.Tests.KillLoop;

/// <summary>
/// A consumer that acknowledges most messages one by one and leaves some, until the last round. Whatever it has not acknowledged must come again,
/// so at the end every offset was either acknowledged or received in the last round.
/// </summary>
internal sealed class LoadConsumer(string topic)
{
    private const string Subscription = "work";
    private const int LeaveEvery = 101;

    private readonly BitArray _acknowledged = new(1 << 24);

    /// <summary>Runs until the broker dies or the token ends.</summary>
    public async Task RunAsync(DanubeClient client, CancellationToken cancellation)
    {
        try
        {
            await using Consumer consumer = await OpenAsync(client);
            while (true)
            {
                Message message = await consumer.ReceiveAsync(cancellation);
                MarkedMessage.NumberOf(message.Payload.Span);
                if (message.Id.Offset % LeaveEvery != 7)
                {
                    _acknowledged[(int)message.Id.Offset] = true;
                    consumer.Ack(message);
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or DanubeException)
        {
            // The round is over.
        }
    }

    /// <summary>After a restart: the cursor must not stand above the first message that was left.</summary>
    public async Task CheckCursorAsync(DanubeClient client)
    {
        SubscriptionInfo? cursor = (await client.DescribeTopicAsync(topic)).Subscriptions.SingleOrDefault(s => s.Name == Subscription);
        if (cursor is null)
        {
            return;
        }

        long left = 0;
        while (_acknowledged[(int)left])
        {
            left++;
        }

        Assert.True(cursor.MarkDelete <= left, $"{topic}: offset {left} was never acknowledged and the cursor stands at {cursor.MarkDelete}");
    }

    /// <summary>The last round: takes and acknowledges everything; afterwards no offset below <paramref name="end"/> may be missing.</summary>
    public async Task FinishAsync(DanubeClient client, long end)
    {
        var seen = new BitArray(_acknowledged);
        await using Consumer consumer = await OpenAsync(client);
        long missing = Missing(seen, end);
        using var guard = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (missing > 0)
        {
            Message message = await consumer.ReceiveAsync(guard.Token);
            missing -= seen[(int)message.Id.Offset] ? 0 : 1;
            seen[(int)message.Id.Offset] = true;
            consumer.Ack(message);
        }

        // What is left now was acknowledged before a kill and came again: allowed, and acknowledged again.
        while (consumer.TryReceive(out Message message))
        {
            consumer.Ack(message);
        }

        await consumer.FlushAcksAsync(guard.Token);
    }

    private static async Task<Consumer> OpenAsync(DanubeClient client, string topicName) => await client.SubscribeAsync(
        new ConsumerOptions { Topic = topicName, Subscription = Subscription, Name = "worker", Start = "earliest" });

    private Task<Consumer> OpenAsync(DanubeClient client) => OpenAsync(client, topic);

    private static long Missing(BitArray seen, long end)
    {
        long missing = 0;
        for (int i = 0; i < end; i++)
        {
            missing += seen[i] ? 0 : 1;
        }

        return missing;
    }
}
