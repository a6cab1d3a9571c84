using Danube.Fast.Client;
using Danube.Fast.LoadTests.Audit;
using Danube.Fast.LoadTests.Engine;
using Danube.Fast.LoadTests.Traffic;
using Danube.Fast.Protocol;

namespace Danube.Fast.LoadTests.Scenarios;

/// <summary>
/// One topic: producers take turns, and one subscription gives its messages to one consumer (exclusive) or to several (shared): one-to-one, fan-in and
/// work-queue.
/// </summary>
public sealed class ExchangeScenario(string name, ScenarioSettings settings) : LoadScenario(name, settings)
{
    // Few messages at each consumer spread shared work evenly.
    private const int SharedCredit = 1_000;

    private readonly List<AuditedProducer> _producers = [];
    private readonly List<AuditedConsumer> _consumers = [];

    private bool IsShared => Settings.Consumers > 1;

    protected override async Task PrepareAsync(CancellationToken cancellation)
    {
        DanubeClient client = await Stage.ConnectAsync(cancellation: cancellation);
        string topic = await Stage.CreateTopicAsync(client, "t", new TopicSpec(), cancellation);
        for (int i = 0; i < Settings.Producers; i++)
        {
            _producers.Add(await Stage.AddProducerAsync(client, topic, cancellation));
        }

        SubscriptionAudit audit = Stage.Auditor.AddSubscription(IsShared ? "shared" : "all", Stage.Auditor.Lanes, new AuditRules(IsShared, AllowsDuplicates: false));
        for (int i = 0; i < Settings.Consumers; i++)
        {
            _consumers.Add(await Stage.AddConsumerAsync(
                client, topic, audit, null, IsShared ? SubscriptionType.Shared : SubscriptionType.Exclusive, IsShared ? SharedCredit : 65_536, cancellation));
        }
    }

    protected override Task<Response> RunAsync(ScenarioContext context)
    {
        AuditedProducer producer = _producers[(int)(context.InvocationNumber % _producers.Count)];
        return Step.Run(Publish, context, () => producer.SendAsync(Settings.SizeBytes, context.IntendedTimestamp));
    }

    protected override Task EndAsync()
    {
        if (IsShared)
        {
            Recorder.SetFigure("messages of the busiest consumer", _consumers.Max(c => c.Received), "");
            Recorder.SetFigure("messages of the idlest consumer", _consumers.Min(c => c.Received), "");
        }

        return Task.CompletedTask;
    }

    protected override IEnumerable<Threshold> Thresholds() => !IsShared
        ? base.Thresholds()
        : base.Thresholds().Append(Threshold.AtLeast("messages of the idlest consumer", 1, "", s => s.FigureOf("messages of the idlest consumer")));
}
