// Sends a greeting and reads it back: the smallest useful program.
using System.Text;
using Danube.Fast.Client;

string url = args.Length > 0 ? args[0] : Environment.GetEnvironmentVariable("DANUBE_URL") ?? "danube://127.0.0.1:6650";
await using DanubeClient client = await DanubeClient.ConnectAsync(url);

// The subscription is made first, so that "latest" includes what is sent below.
await using Consumer consumer = await client.SubscribeAsync(new ConsumerOptions { Topic = "/examples/hello", Subscription = "hello" });
await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = "/examples/hello" });

// The task ends when the broker has the message on disk.
MessageId id = await producer.SendAsync(Encoding.UTF8.GetBytes("Hello, Danube!"));
Console.WriteLine($"stored as {id}");

using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
Message message = await consumer.ReceiveAsync(patience.Token);
Console.WriteLine($"received {message.Id}: {Encoding.UTF8.GetString(message.Payload.Span)}");

// Waits until the broker has read the acknowledgement. In a loop, consumer.Ack(message) is enough: it is sent in the background.
await consumer.AckAsync(message.Id);
