using Danube.Fast.Client;
using Danube.Fast.Protocol;

namespace Danube.Fast.EndToEnd.Tests;

/// <summary>Reads a stretch of a topic through a subscription of its own.</summary>
internal static class TopicReading
{
    /// <summary>A hang guard for one stretch.</summary>
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(60);

    /// <summary>Hands over the messages [from, until) in order; fails when an offset is missing or comes out of order.</summary>
    public static async Task ReadAsync(DanubeClient client, string topic, long from, long until, Action<long, ReadOnlySpan<byte>> onMessage)
    {
        if (until <= from)
        {
            return;
        }

        string subscription = "read-" + Guid.NewGuid().ToString("N");
        using var guard = new CancellationTokenSource(Guard);
        await using (Consumer consumer = await client.SubscribeAsync(new ConsumerOptions { Topic = topic, Subscription = subscription, Start = "offset:" + from }))
        {
            for (long expected = from; expected < until; expected++)
            {
                Message message = await consumer.ReceiveAsync(guard.Token);
                Assert.Equal(expected, message.Id.Offset);
                onMessage(expected, message.Payload.Span);
            }
        }

        await client.UnsubscribeAsync(topic, subscription);
    }

    /// <summary>All numbers of a topic, from offset 0 to its end.</summary>
    public static async Task<List<long>> NumbersAsync(DanubeClient client, string topic)
    {
        TopicInfo info = await client.DescribeTopicAsync(topic);
        var numbers = new List<long>();
        await ReadAsync(client, topic, 0, info.CommittedEnd, (_, payload) => numbers.Add(MarkedMessage.NumberOf(payload)));
        return numbers;
    }
}
