using Danube.Fast.Client;
using Danube.Fast.Protocol;

namespace Danube.Fast.EndToEnd.Tests;

/// <summary>Reads a stretch of a topic: with a subscription of its own, or with a reader.</summary>
internal static class TopicReading
{
    /// <summary>A hang guard for one stretch.</summary>
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(120);

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

    /// <summary>The same with a reader, about which the broker stores nothing. The front may move on meanwhile when retention is at work.</summary>
    public static async Task ScanAsync(DanubeClient client, string topic, long from, long until, bool mayTrim, Action<long, ReadOnlySpan<byte>> onMessage)
    {
        if (until <= from)
        {
            return;
        }

        using var guard = new CancellationTokenSource(Guard);
        await using Reader reader = await client.CreateReaderAsync(new ReaderOptions { Topic = topic, Start = "offset:" + from });
        long expected = from;
        while (expected < until)
        {
            Message message = await ReceiveAsync(reader, topic, expected, until, guard.Token);
            Assert.True(message.Offset == expected || (mayTrim && message.Offset > expected), $"{topic}: offset {message.Offset} came where {expected} was due");
            onMessage(message.Offset, message.Payload.Span);
            expected = message.Offset + 1;
        }
    }

    /// <summary>All numbers of a topic, from offset 0 to its end.</summary>
    public static async Task<List<long>> NumbersAsync(DanubeClient client, string topic)
    {
        TopicInfo info = await client.DescribeTopicAsync(topic);
        var numbers = new List<long>();
        await ReadAsync(client, topic, 0, info.CommittedEnd, (_, payload) => numbers.Add(MarkedMessage.NumberOf(payload)));
        return numbers;
    }

    private static async ValueTask<Message> ReceiveAsync(Reader reader, string topic, long expected, long until, CancellationToken guard)
    {
        try
        {
            return await reader.ReceiveAsync(guard);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"{topic}: offset {expected} of {until} did not come within {Guard.TotalSeconds} s.");
        }
    }
}
