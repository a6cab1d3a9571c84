using Danube.Fast.Client;
using Danube.Fast.Harness;
using Danube.Fast.Protocol;

namespace Danube.Fast.EndToEnd.Tests.Telemetry;

/// <summary>
/// A broker process with a bit of everything going on, so that every figure moves: topics of each class, redeliveries, refused messages, failed
/// requests, readers of old messages, segments that come and go, and a subscription that nobody reads.
/// </summary>
internal sealed class ScrapedLoad : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _tasks = [];
    private readonly HttpClient _http = new();

    private ScrapedLoad(BrokerProcess broker, DanubeClient client)
    {
        Broker = broker;
        Client = client;
    }

    public BrokerProcess Broker { get; }

    private DanubeClient Client { get; }

    public static async Task<ScrapedLoad> StartAsync()
    {
        BrokerProcess broker = await BrokerProcess.StartAsync(new BrokerOptions
        {
            Environment = new Dictionary<string, string>
            {
                // Small, so that segments, checkpoints and deletions come within seconds.
                ["DANUBE__WAL__SEGMENT_BYTES"] = "1MiB",
                ["DANUBE__WAL__JOURNAL_BYTES"] = "4MiB",
                ["DANUBE__TOPICS__RETENTION_BYTES"] = "8MiB",
            },
        });
        var load = new ScrapedLoad(broker, await DanubeClient.ConnectAsync(broker.Url));
        await load.StartTopicsAsync();
        return load;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_tasks);
        _http.Dispose();
        await Client.DisposeAsync();
        await Broker.DisposeAsync();
        _stop.Dispose();
    }

    private async Task StartTopicsAsync()
    {
        foreach ((string durability, SubscriptionType type) in new[]
        {
            ("fsync", SubscriptionType.Exclusive), ("os", SubscriptionType.Shared), ("memory", SubscriptionType.Exclusive), ("fsync", SubscriptionType.KeyShared), ("os", SubscriptionType.Failover),
        })
        {
            string topic = $"/load/{durability}-{type}".ToLowerInvariant();
            await Client.CreateTopicAsync(new TopicSpec { Topic = topic, Durability = durability });
            Consumer consumer = await Client.SubscribeAsync(new ConsumerOptions { Topic = topic, Subscription = "s", Type = type, Start = "earliest" });
            Run(() => ConsumeAsync(consumer));
            Producer producer = await Client.CreateProducerAsync(new ProducerOptions { Topic = topic });
            Run(() => PublishAsync(producer, 100, 1024));
        }

        await using (await Client.SubscribeAsync(new ConsumerOptions { Topic = "/load/stalled", Subscription = "nobody", Start = "earliest" }))
        {
            // It stays behind when its consumer is gone.
        }

        Producer stalled = await Client.CreateProducerAsync(new ProducerOptions { Topic = "/load/stalled" });
        Run(() => PublishAsync(stalled, 10, 100));
        await Client.CreateTopicAsync(new TopicSpec { Topic = "/load/limited", MaxMessageBytes = 100 });
        Producer limited = await Client.CreateProducerAsync(new ProducerOptions { Topic = "/load/limited" });
        Run(() => RepeatAsync(async () => await limited.SendAsync(new byte[200])));
        Run(() => RepeatAsync(() => Client.DescribeTopicAsync("/load/unknown")));
        Run(() => RepeatAsync(() => _http.GetStringAsync($"http://{Broker.Http}/admin/v1/topics/load/fsync-exclusive")));
        Run(() => RepeatAsync(() => ReadAsync("earliest")));
        Run(() => RepeatAsync(() => ReadAsync("latest")));
    }

    private void Run(Func<Task> work) => _tasks.Add(Task.Run(async () =>
    {
        try
        {
            await work();
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The end of the load.
        }
    }));

    /// <summary>What the broker refuses is part of the load.</summary>
    private async Task RepeatAsync(Func<Task> work)
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await work();
            }
            catch (DanubeException)
            {
                // Counted by the broker.
            }

            await Task.Delay(Pause, _stop.Token);
        }
    }

    private async Task PublishAsync(Producer producer, int perPause, int bytes)
    {
        await using Producer open = producer;
        byte[] payload = new byte[bytes];
        byte[][] keys = [.. Enumerable.Range(0, 8).Select(k => new[] { (byte)k })];
        await RepeatAsync(async () =>
        {
            for (int i = 0; i < perPause; i++)
            {
                await open.PostAsync(new OutgoingMessage { Payload = payload, Key = keys[i % keys.Length] }, _stop.Token);
            }
        });
    }

    /// <summary>Every fiftieth message is given back once.</summary>
    private async Task ConsumeAsync(Consumer consumer)
    {
        await using Consumer open = consumer;
        while (true)
        {
            Message message = await open.ReceiveAsync(_stop.Token);
            if (message.Offset % 50 == 7 && message.RedeliveryCount == 0)
            {
                open.Nack(message, TimeSpan.Zero);
            }
            else
            {
                open.Ack(message);
            }
        }
    }

    private async Task ReadAsync(string start)
    {
        await using Reader reader = await Client.CreateReaderAsync(new ReaderOptions { Topic = "/load/fsync-exclusive", Start = start });
        for (int i = 0; i < 1000; i++)
        {
            await reader.ReceiveAsync(_stop.Token);
        }
    }
}
