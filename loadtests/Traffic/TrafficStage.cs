using System.Collections.Concurrent;
using Danube.Fast.Client;
using Danube.Fast.LoadTests.Audit;
using Danube.Fast.LoadTests.Engine;
using Danube.Fast.LoadTests.Scenarios;
using Danube.Fast.Protocol;

namespace Danube.Fast.LoadTests.Traffic;

/// <summary>Clients, topics, producers and consumers of one run, and their end. Shared with: the scenario's tasks.</summary>
public sealed class TrafficStage(string name, ScenarioSettings settings, ScenarioRecorder recorder) : IAsyncDisposable
{
    /// <summary>Name of the step that times messages from when they were due to their receipt.</summary>
    public const string EndToEnd = "end-to-end";

    private const int RequestsAtOnce = 64;

    // Without any progress for so long what is missing counts as lost.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30), InterruptedPatience = TimeSpan.FromSeconds(3);

    // A broker that is gone deletes nothing.
    private static readonly TimeSpan CleaningTimeout = TimeSpan.FromSeconds(60);

    private readonly string _run = $"{name}-{Guid.NewGuid().ToString("N")[..8]}";
    private readonly ConcurrentBag<DanubeClient> _clients = [];
    private readonly ConcurrentBag<string> _topics = [];
    private readonly ConcurrentDictionary<AuditedConsumer, bool> _consumers = new();

    public Auditor Auditor { get; } = new(recorder.Time);

    /// <summary>A client of its own, closed at the end.</summary>
    public async Task<DanubeClient> ConnectAsync(DanubeClientOptions? options = null, string? url = null, CancellationToken cancellation = default)
    {
        DanubeClient client = await DanubeClient.ConnectAsync(url ?? settings.Url, options, cancellation);
        _clients.Add(client);
        return client;
    }

    /// <summary>Creates a topic of this run.</summary>
    public async Task<string> CreateTopicAsync(DanubeClient client, string suffix, TopicSpec? spec = null, CancellationToken cancellation = default)
    {
        string topic = $"/loadtest/{_run}-{suffix}";
        await client.CreateTopicAsync((spec ?? new TopicSpec()) with { Topic = topic, Durability = settings.Durability }, cancellation);
        _topics.Add(topic);
        return topic;
    }

    /// <summary>A producer with a lane of its own.</summary>
    public Task<AuditedProducer> AddProducerAsync(DanubeClient client, string topic, CancellationToken cancellation = default) =>
        AddProducerAsync(client, topic, Auditor.AddLane(), cancellation);

    public static async Task<AuditedProducer> AddProducerAsync(DanubeClient client, string topic, AuditLane lane, CancellationToken cancellation = default) =>
        new(await client.CreateProducerAsync(new ProducerOptions { Topic = topic }, cancellation), lane);

    /// <summary>A consumer that starts to receive at once. A new subscription begins at the beginning of the topic.</summary>
    public async Task<AuditedConsumer> AddConsumerAsync(
        DanubeClient client, string topic, SubscriptionAudit audit, StepChoice? step = null, SubscriptionType type = SubscriptionType.Exclusive,
        int creditRecords = 65_536, CancellationToken cancellation = default)
    {
        Consumer consumer = await client.SubscribeAsync(
            new ConsumerOptions { Topic = topic, Subscription = audit.Name, Type = type, Start = "earliest", CreditRecords = creditRecords }, cancellation);
        var audited = new AuditedConsumer(consumer, audit, step ?? EveryMessage(), recorder);
        _consumers[audited] = true;
        return audited;
    }

    /// <summary>Takes a consumer away before the end.</summary>
    public ValueTask RemoveConsumerAsync(AuditedConsumer consumer)
    {
        _consumers.TryRemove(consumer, out _);
        return consumer.DisposeAsync();
    }

    /// <summary>Does something for each of many, so many requests at a time, and shows how far it is.</summary>
    public async Task ForEachAsync(int count, string what, Func<int, CancellationToken, Task> action, CancellationToken cancellation)
    {
        int done = 0;
        await Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = RequestsAtOnce, CancellationToken = cancellation }, async (i, token) =>
        {
            await action(i, token);
            int now = Interlocked.Increment(ref done);
            if (now % 100 == 0 || now == count)
            {
                recorder.Activity = $"{what}: {now:N0} of {count:N0}";
            }
        });
    }

    /// <summary>Waits until every subscription has what was acknowledged to its producers, or nothing comes any more; then notes down what the auditor says.</summary>
    public async Task FinishAsync()
    {
        recorder.Activity = "waiting for what is on its way";
        TimeSpan patience = recorder.IsInterrupted ? InterruptedPatience : Patience;
        long last = long.MaxValue, since = Environment.TickCount64;
        while (Auditor.Outstanding is var outstanding and > 0 && Environment.TickCount64 - since < patience.TotalMilliseconds)
        {
            since = outstanding < last ? Environment.TickCount64 : since;
            last = Math.Min(last, outstanding);
            await Task.Delay(100, CancellationToken.None);
        }

        recorder.Activity = "auditing";
        foreach (SubscriptionAudit subscription in Auditor.Subscriptions)
        {
            foreach (string finding in subscription.Findings(countsLoss: !recorder.IsInterrupted))
            {
                recorder.AddFinding(finding);
            }
        }

        recorder.Audit.AddRange(AuditSummary.Of(Auditor.Subscriptions.Select(s => s.ToRow())));
        if (recorder.IsInterrupted)
        {
            recorder.AddNote("Interrupted: what is missing may have been on its way and does not count as lost.");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_consumers.Keys.Select(c => c.DisposeAsync().AsTask()));
        if (settings.DeletesTopics && !_clients.IsEmpty)
        {
            await DeleteTopicsAsync(_clients.First());
        }

        await Task.WhenAll(_clients.Select(c => c.DisposeAsync().AsTask()));
    }

    private StepChoice EveryMessage()
    {
        StepRecorder endToEnd = recorder.Step(EndToEnd);
        return _ => endToEnd;
    }

    private async Task DeleteTopicsAsync(DanubeClient client)
    {
        string[] topics = [.. _topics];
        using var limit = new CancellationTokenSource(CleaningTimeout);
        try
        {
            await ForEachAsync(topics.Length, "deleting topics", (i, token) => client.DeleteTopicAsync(topics[i], token), limit.Token);
        }
        catch (Exception e) when (e is DanubeException or OperationCanceledException)
        {
            recorder.AddFinding($"topics of this run were left behind under /loadtest/{_run}-: {e.Message}");
        }
    }
}
