// Reads a topic again from a point in time, without disturbing anyone: a subscription of its own, moved with a seek.
using System.Globalization;
using System.Text;
using Danube.Fast.Client;

const string Topic = "/examples/measurements";
string url = args.Length > 0 ? args[0] : Environment.GetEnvironmentVariable("DANUBE_URL") ?? "danube://127.0.0.1:6650";
await using DanubeClient client = await DanubeClient.ConnectAsync(url);

await using (Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = Topic }))
{
    await SendAsync(producer, "early", 5);
    await Task.Delay(50);
    DateTimeOffset moment = DateTimeOffset.UtcNow;
    await Task.Delay(50);
    await SendAsync(producer, "late", 5);

    await using Consumer consumer = await client.SubscribeAsync(new ConsumerOptions { Topic = Topic, Subscription = $"replay-{Guid.NewGuid():N}", Start = "earliest" });
    Console.WriteLine($"the topic holds {consumer.DurableEnd - consumer.StartOffset} messages");

    // Positions in time are Unix microseconds; the first message stored at or after it comes next.
    long micros = (moment.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks) / TimeSpan.TicksPerMicrosecond;
    await consumer.SeekAsync(string.Create(CultureInfo.InvariantCulture, $"time:{micros}"));
    Console.WriteLine($"since {moment:HH:mm:ss.fff}:");
    using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
    for (long last = -1; last < consumer.DurableEnd - 1;)
    {
        Message message = await consumer.ReceiveAsync(patience.Token);
        last = message.Offset;
        Console.WriteLine($"  {message.AppendTime:HH:mm:ss.fff} {message.Offset,6} {Encoding.UTF8.GetString(message.Payload.Span)}");
        consumer.Ack(message);
    }

    await client.UnsubscribeAsync(Topic, consumer.Subscription);
}

static async Task SendAsync(Producer producer, string what, int count)
{
    for (int i = 0; i < count; i++)
    {
        await producer.SendAsync(new OutgoingMessage
        {
            Payload = Encoding.UTF8.GetBytes($"{what} {i}"),
            Key = Encoding.UTF8.GetBytes(what),
            EventTime = DateTimeOffset.UtcNow,
        });
    }
}
