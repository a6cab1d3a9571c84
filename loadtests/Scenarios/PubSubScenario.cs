using System.Buffers;
using System.Collections.Concurrent;
using Danube.Fast.Client;
using Danube.Fast.LoadTests.Audit;
using Danube.Fast.LoadTests.Engine;
using Danube.Fast.Protocol;

namespace Danube.Fast.LoadTests.Scenarios;

/// <summary>Shape of a scenario: how many producers, how many subscriptions, how many consumers on each.</summary>
public sealed record PubSubShape(string Name, int Producers, int Subscriptions, int ConsumersPerSubscription)
{
    public bool IsShared => ConsumersPerSubscription > 1;
}

/// <summary>
/// All load scenarios are this one in different shapes. An iteration publishes one message and waits for its acknowledgement; consumers run beside
/// and time each message from its send. An auditor per subscription has the last word.
/// </summary>
public sealed class PubSubScenario : IAsyncDisposable
{
    private readonly PubSubShape _shape;
    private readonly ScenarioSettings _settings;
    private readonly string _topic;
    private readonly Auditor[] _auditors;
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _receiving = [];
    private readonly List<Consumer> _consumers = [];
    private readonly List<SendLane> _lanes = [];
    private readonly ConcurrentQueue<string> _errors = new();
    private DanubeClient? _client;

    public PubSubScenario(PubSubShape shape, ScenarioSettings settings)
    {
        _shape = shape;
        _settings = settings;
        _topic = $"/loadtest/{shape.Name}-{Guid.NewGuid().ToString("N")[..8]}";
        _auditors = [.. Enumerable.Range(0, shape.Subscriptions).Select(i => new Auditor("subscription " + i, shape.Producers, !shape.IsShared))];
    }

    public static IReadOnlyList<PubSubShape> Shapes(int width) =>
    [
        new("one-to-one", 1, 1, 1),
        new("fan-in", width, 1, 1),
        new("fan-out", 1, width, 1),
        new("work-queue", 1, 1, width),
    ];

    public Scenario Build() => new()
    {
        Name = _shape.Name,
        Init = InitAsync,
        Run = PublishAsync,
        Clean = CleanAsync,
        WarmUp = _settings.WarmUp,
        Simulations = [_settings.Rate > 0 ? new Inject(_settings.Rate, TimeSpan.FromSeconds(1), _settings.During) : new KeepConstant(_settings.Copies, _settings.During)],
        Thresholds = [.. Thresholds()],
    };

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_receiving);
        foreach (Consumer consumer in _consumers)
        {
            await consumer.DisposeAsync();
        }

        foreach (SendLane lane in _lanes)
        {
            await lane.DisposeAsync();
        }

        if (_client is not null)
        {
            await _client.DeleteTopicAsync(_topic);
            await _client.DisposeAsync();
        }

        _stop.Dispose();
    }

    private IEnumerable<Threshold> Thresholds()
    {
        yield return new Threshold("no failed iteration", s => s.Steps.All(t => t.FailCount == 0));
        yield return new Threshold("at least one message per second", s => s.Step(ScenarioStats.Iteration).OkCount >= s.Duration.TotalSeconds);
        if (_settings.MaxPublishP99Ms > 0)
        {
            yield return new Threshold($"publish p99 <= {_settings.MaxPublishP99Ms} ms", s => s.Step("publish").OkMs(99) <= _settings.MaxPublishP99Ms);
        }

        if (_settings.MaxEndToEndP99Ms > 0)
        {
            yield return new Threshold($"end-to-end p99 <= {_settings.MaxEndToEndP99Ms} ms", s => s.Step("end-to-end").OkMs(99) <= _settings.MaxEndToEndP99Ms);
        }
    }

    private async Task InitAsync(ScenarioContext context)
    {
        _client = await DanubeClient.ConnectAsync(_settings.Url);
        await _client.CreateTopicAsync(new TopicSpec { Topic = _topic, Durability = _settings.Durability });
        for (int s = 0; s < _shape.Subscriptions; s++)
        {
            for (int c = 0; c < _shape.ConsumersPerSubscription; c++)
            {
                Consumer consumer = await _client.SubscribeAsync(new ConsumerOptions
                {
                    Topic = _topic,
                    Subscription = "s" + s,
                    Name = "c" + c,
                    Type = _shape.IsShared ? SubscriptionType.Shared : SubscriptionType.Exclusive,
                    Start = "earliest",
                    CreditRecords = _shape.IsShared ? 1024 : 65_536,
                });
                Auditor auditor = _auditors[s];
                _consumers.Add(consumer);
                _receiving.Add(Task.Run(() => ReceiveAsync(consumer, auditor, context)));
            }
        }

        for (int p = 0; p < _shape.Producers; p++)
        {
            _lanes.Add(new SendLane(await _client.CreateProducerAsync(new ProducerOptions { Topic = _topic }), p, _settings.SizeBytes));
        }
    }

    private async Task<Response> PublishAsync(ScenarioContext context)
    {
        SendLane lane = _lanes[context.Instance % _lanes.Count];
        return await context.StepAsync("publish", async () =>
        {
            long number = await lane.SendAsync();
            foreach (Auditor auditor in _auditors)
            {
                auditor.OnAcknowledged(lane.Number, number);
            }

            return Response.Ok(_settings.SizeBytes);
        });
    }

    private async Task ReceiveAsync(Consumer consumer, Auditor auditor, ScenarioContext context)
    {
        try
        {
            while (true)
            {
                Message message = await consumer.ReceiveAsync(_stop.Token);
                do
                {
                    if (auditor.OnReceived(message.Payload.Span, message.RedeliveryCount > 0) is { } age)
                    {
                        context.Record("end-to-end", Response.Ok(message.Payload.Length), age);
                    }

                    consumer.Ack(message);
                }
                while (consumer.TryReceive(out message));
            }
        }
        catch (OperationCanceledException)
        {
            // The scenario is over.
        }
        catch (DanubeException e)
        {
            _errors.Enqueue("a consumer failed: " + e.Message);
        }
    }

    private async Task<IReadOnlyList<string>> CleanAsync(ScenarioContext context)
    {
        long quiet = Environment.TickCount64, seen = -1;
        while (_auditors.Any(a => a.Distinct < a.Acknowledged) && Environment.TickCount64 - quiet < 15_000)
        {
            long now = _auditors.Sum(a => a.Distinct);
            quiet = now != seen ? Environment.TickCount64 : quiet;
            seen = now;
            await Task.Delay(50, CancellationToken.None);
        }

        var findings = _auditors.SelectMany(a => a.Findings()).Concat(_errors).ToList();
        foreach (Consumer consumer in _consumers)
        {
            await consumer.FlushAcksAsync(CancellationToken.None);
        }

        if (_client is not null && findings.Count == 0)
        {
            TopicInfo info = await _client.DescribeTopicAsync(_topic);
            findings.AddRange(info.Subscriptions.Where(s => s.Backlog != 0).Select(s => $"everything is acknowledged, and the broker still counts a backlog of {s.Backlog} on {s.Name}"));
        }

        return findings;
    }

    /// <summary>One producer: numbers its messages in the order of the sends.</summary>
    private sealed class SendLane(Producer producer, int number, int sizeBytes) : IAsyncDisposable
    {
        private readonly int _size = Math.Max(sizeBytes, AuditedMessage.MinSize);
        private readonly Lock _turn = new();
        private long _next;

        public int Number => number;

        /// <summary>Sends the next message and returns its number once it is acknowledged.</summary>
        public async Task<long> SendAsync()
        {
            // A buffer for each send: while a send waits for room in the window its memory must not change.
            byte[] payload = ArrayPool<byte>.Shared.Rent(_size);
            ValueTask<MessageId> sending;
            long own;
            lock (_turn)
            {
                own = _next++;
                AuditedMessage.Write(payload.AsSpan(0, _size), number, own);
                sending = producer.SendAsync(payload.AsMemory(0, _size));
            }

            await sending;
            ArrayPool<byte>.Shared.Return(payload);
            return own;
        }

        public ValueTask DisposeAsync() => producer.DisposeAsync();
    }
}
