// A work queue: one program posts jobs, several workers share them. A job that fails is given back and comes again, to whoever is free.
using System.Globalization;
using System.Text;
using Danube.Fast.Client;

const string Topic = "/examples/jobs";
const int Jobs = 1000, Workers = 3;
string url = args.Length > 0 ? args[0] : Environment.GetEnvironmentVariable("DANUBE_URL") ?? "danube://127.0.0.1:6650";
await using DanubeClient client = await DanubeClient.ConnectAsync(url);

int done = 0, retried = 0;
using var finished = new CancellationTokenSource(TimeSpan.FromSeconds(60));

// Small credit: a worker holds few jobs in advance, so that the work is spread evenly and little waits behind a slow job.
var consumers = new List<Consumer>();
for (int i = 0; i < Workers; i++)
{
    consumers.Add(await client.SubscribeAsync(new ConsumerOptions
    {
        Topic = Topic,
        Subscription = "workers",
        Type = SubscriptionType.Shared,
        Name = $"worker-{i}",
        CreditRecords = 10,
    }));
}

Task<int>[] workers = [.. consumers.Select(WorkAsync)];

// MaxBatchRecords bounds what one worker gets at once: on shared subscriptions a batch goes to one consumer.
await using (Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = Topic, MaxBatchRecords = 10 }))
{
    for (int job = 0; job < Jobs; job++)
    {
        // Waits only while the window is full; the flush collects all acknowledgements.
        await producer.PostAsync(Encoding.UTF8.GetBytes(job.ToString(CultureInfo.InvariantCulture)));
    }

    await producer.FlushAsync();
}

int[] shares = await Task.WhenAll(workers);
for (int i = 0; i < Workers; i++)
{
    Console.WriteLine($"worker-{i} has done {shares[i]} jobs");
    await consumers[i].DisposeAsync();
}

Console.WriteLine($"{done} jobs done, {retried} of them at the second attempt");
return done == Jobs ? 0 : 1;

async Task<int> WorkAsync(Consumer consumer)
{
    int share = 0;
    try
    {
        await foreach (Message message in consumer.ReadAllAsync(finished.Token))
        {
            int job = int.Parse(message.Payload.Span, NumberStyles.None, CultureInfo.InvariantCulture);

            // Every fiftieth job fails the first time it is tried.
            if (job % 50 == 0 && message.RedeliveryCount == 0)
            {
                consumer.Nack(message, TimeSpan.FromMilliseconds(50));
                continue;
            }

            consumer.Ack(message);
            share++;
            Interlocked.Add(ref retried, message.RedeliveryCount > 0 ? 1 : 0);
            if (Interlocked.Increment(ref done) == Jobs)
            {
                await finished.CancelAsync();
            }
        }
    }
    catch (OperationCanceledException)
    {
        // All jobs are done, or the time is over.
    }

    return share;
}
