// Jobs for later, and what becomes of those that always fail: they end in the dead-letter topic with the reason.
using System.Globalization;
using System.Text;
using Danube.Fast.Client;

string url = args.Length > 0 ? args[0] : Environment.GetEnvironmentVariable("DANUBE_URL") ?? "danube://127.0.0.1:6650";
await using DanubeClient client = await DanubeClient.ConnectAsync(url);

// A topic of its own for every run keeps the example repeatable.
string topic = $"/examples/reminders-{Guid.NewGuid():N}";
using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));

// The policy belongs to the subscription: two more attempts, half a second and a second later, then the dead-letter topic.
await using Consumer worker = await client.SubscribeAsync(new ConsumerOptions
{
    Topic = topic,
    Subscription = "worker",
    Type = SubscriptionType.Shared,
    Policy = new RedeliveryPolicy
    {
        MaxRedeliveries = 2,
        FailureAction = FailureAction.DeadLetter,
        DeadLetterTopic = $"{topic}-dead-letter",
        BackOffMin = TimeSpan.FromMilliseconds(500),
        BackOffMax = TimeSpan.FromSeconds(1),
    },
});
await using Consumer undertaker = await client.SubscribeAsync(new ConsumerOptions
{
    Topic = $"{topic}-dead-letter",
    Subscription = "undertaker",
    Start = "earliest",
});

DateTimeOffset start = DateTimeOffset.UtcNow;
await using (Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = topic }))
{
    await producer.SendAsync(new OutgoingMessage { Payload = "in two seconds"u8.ToArray(), Delay = TimeSpan.FromSeconds(2) });
    await producer.SendAsync(new OutgoingMessage { Payload = "at a time"u8.ToArray(), DeliverAt = start.AddSeconds(1) });
    await producer.SendAsync(new OutgoingMessage { Payload = "nobody can do this"u8.ToArray() });

    // Not read within its time to live, this one would never come: it is delayed for longer than it lives.
    await producer.SendAsync(new OutgoingMessage { Payload = "too late"u8.ToArray(), Delay = TimeSpan.FromSeconds(2), TimeToLive = TimeSpan.FromSeconds(1) });
}

var done = new List<string>();
Task work = WorkAsync();

// The dead letter carries the original key, payload and attributes, and what the broker has added.
Message letter = await undertaker.ReceiveAsync(patience.Token);
Console.WriteLine($"dead letter: '{Encoding.UTF8.GetString(letter.Payload.Span)}'");
foreach ((string name, string value) in letter.Attributes.ToArray())
{
    Console.WriteLine($"  {name} = {value}");
}

bool isRight = letter.Attributes.TryGet(DeadLetterAttributes.SourceTopic, out string source) && source == topic;
undertaker.Ack(letter);
await work;
await worker.DisposeAsync();
await undertaker.DisposeAsync();
await client.DeleteTopicAsync(topic);
await client.DeleteTopicAsync($"{topic}-dead-letter");
return isRight && done is ["at a time", "in two seconds"] ? 0 : 1;

async Task WorkAsync()
{
    while (done.Count < 2)
    {
        Message message = await worker.ReceiveAsync(patience.Token);
        string job = Encoding.UTF8.GetString(message.Payload.Span);
        string age = (DateTimeOffset.UtcNow - start).TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture);
        if (job.StartsWith("nobody", StringComparison.Ordinal))
        {
            // Without a delay of its own the message comes again after the back-off of the subscription.
            Console.WriteLine($"{age} s: '{job}' fails, attempt {message.RedeliveryCount + 1}");
            worker.Nack(message);
            continue;
        }

        Console.WriteLine($"{age} s: '{job}' is done");
        done.Add(job);
        await worker.AckAsync(message.Id, patience.Token);
    }
}
