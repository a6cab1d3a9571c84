// Order within a key: the steps of one order come one after the other, although several workers share the orders and one of them joins late.
using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Danube.Fast.Client;

const string Topic = "/examples/orders";
const int Orders = 50, Steps = 20;
string url = args.Length > 0 ? args[0] : Environment.GetEnvironmentVariable("DANUBE_URL") ?? "danube://127.0.0.1:6650";
await using DanubeClient client = await DanubeClient.ConnectAsync(url);

string subscription = $"workers-{Guid.NewGuid():N}";
using var finished = new CancellationTokenSource(TimeSpan.FromSeconds(60));
var nextStep = new ConcurrentDictionary<string, int>();
int done = 0, outOfOrder = 0;

// Key-shared: the messages of one key go to one worker at a time, in order; the keys are spread over the workers.
Task<int>[] workers = [WorkAsync(await SubscribeAsync("worker-0")), WorkAsync(await SubscribeAsync("worker-1")), LateAsync()];

// BatchByKey: one key per batch, so that the broker does not have to send a batch to several workers.
await using (Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = Topic, BatchByKey = true }))
{
    for (int step = 0; step < Steps; step++)
    {
        for (int order = 0; order < Orders; order++)
        {
            await producer.PostAsync(new OutgoingMessage
            {
                Key = Encoding.UTF8.GetBytes($"order-{order}"),
                Payload = Encoding.UTF8.GetBytes(step.ToString(CultureInfo.InvariantCulture)),
            });
        }

        await Task.Delay(10);
    }

    await producer.FlushAsync();
}

int[] shares = await Task.WhenAll(workers);
for (int i = 0; i < shares.Length; i++)
{
    Console.WriteLine($"worker-{i} has done {shares[i]} steps");
}

Console.WriteLine($"{done} steps of {Orders} orders done, {outOfOrder} out of order");
await client.UnsubscribeAsync(Topic, subscription);
return done == Orders * Steps && outOfOrder == 0 ? 0 : 1;

Task<Consumer> SubscribeAsync(string name) => client.SubscribeAsync(new ConsumerOptions
{
    Topic = Topic,
    Subscription = subscription,
    Type = SubscriptionType.KeyShared,
    Name = name,
});

// A worker that comes when the others are busy: it takes over a part of the orders, none of them in the middle of its unfinished messages.
async Task<int> LateAsync()
{
    await Task.Delay(100);
    return await WorkAsync(await SubscribeAsync("worker-2"));
}

async Task<int> WorkAsync(Consumer consumer)
{
    int share = 0;
    try
    {
        await foreach (Message message in consumer.ReadAllAsync(finished.Token))
        {
            string order = Encoding.UTF8.GetString(message.Key.Span);
            int step = int.Parse(message.Payload.Span, NumberStyles.None, CultureInfo.InvariantCulture);
            int expected = nextStep.GetOrAdd(order, 0);

            // A message can come twice (at least once is the promise), but never before its predecessor.
            if (step > expected)
            {
                Interlocked.Increment(ref outOfOrder);
            }
            else if (step == expected)
            {
                nextStep[order] = step + 1;
                share++;
                if (Interlocked.Increment(ref done) == Orders * Steps)
                {
                    await finished.CancelAsync();
                }
            }

            consumer.Ack(message);
        }
    }
    catch (OperationCanceledException)
    {
        // All steps are done, or the time is over.
    }

    await consumer.DisposeAsync();
    return share;
}
