using Danube.Fast.Client;
using Danube.Fast.LoadTests.Audit;
using Danube.Fast.LoadTests.Engine;
using Danube.Fast.LoadTests.Traffic;
using Danube.Fast.Protocol;

namespace Danube.Fast.LoadTests.Scenarios;

/// <summary>
/// Several subscriptions of one topic. For the first half all are quick; for the second one of them is slow and one takes nothing at all: the others must not
/// notice. In the end both recover, and nothing is lost.
/// </summary>
public sealed class SlowConsumersScenario(string name, ScenarioSettings settings) : LoadScenario(name, settings)
{
    private const string Before = "end-to-end of the healthy, before", Beside = "end-to-end of the healthy, beside slow and stuck";
    private const int SlowPauseMs = 10;

    private AuditedProducer? _producer;
    private AuditedConsumer? _slow, _stuck;
    private long _turned = long.MaxValue;

    protected override async Task PrepareAsync(CancellationToken cancellation)
    {
        DanubeClient client = await Stage.ConnectAsync(cancellation: cancellation);
        string topic = await Stage.CreateTopicAsync(client, "t", new TopicSpec(), cancellation);
        _producer = await Stage.AddProducerAsync(client, topic, cancellation);
        StepRecorder before = Recorder.Step(Before), beside = Recorder.Step(Beside);
        for (int i = 0; i < Settings.Consumers; i++)
        {
            SubscriptionAudit healthy = Stage.Auditor.AddSubscription("healthy-" + (i + 1), Stage.Auditor.Lanes);
            await Stage.AddConsumerAsync(client, topic, healthy, due => due < Volatile.Read(ref _turned) ? before : beside, cancellation: cancellation);
        }

        // Connections of their own: those that are in trouble are other processes.
        _slow = await AddTroubledAsync("slow", topic, cancellation);
        _stuck = await AddTroubledAsync("stuck", topic, cancellation);
    }

    protected override Task<Response> RunAsync(ScenarioContext context)
    {
        if (context.SimulationIndex == 1 && Interlocked.CompareExchange(ref _turned, context.IntendedTimestamp, long.MaxValue) == long.MaxValue)
        {
            _slow!.SlowDown(SlowPauseMs);
            _stuck!.Stick();
        }

        return Step.Run(Publish, context, () => _producer!.SendAsync(Settings.SizeBytes, context.IntendedTimestamp));
    }

    protected override IEnumerable<LoadSimulation> Simulations() => [Inject(Settings.Rate, Settings.During / 2), Inject(Settings.Rate, Settings.During / 2)];

    protected override Task EndAsync()
    {
        foreach (AuditedConsumer? troubled in new[] { _slow, _stuck })
        {
            Recorder.SetFigure($"received by the {(troubled == _slow ? "slow" : "stuck")} one when the load ended", troubled?.Received ?? 0, "");
            troubled?.Recover();
        }

        return Task.CompletedTask;
    }

    protected override IEnumerable<string> EndToEndSteps => [Before, Beside];

    protected override IEnumerable<Threshold> Thresholds() => base.Thresholds().Append(NotMuchWorse(Beside, Before, 2, 50));

    private async Task<AuditedConsumer> AddTroubledAsync(string subscription, string topic, CancellationToken cancellation)
    {
        DanubeClient own = await Stage.ConnectAsync(cancellation: cancellation);
        SubscriptionAudit audit = Stage.Auditor.AddSubscription(subscription, Stage.Auditor.Lanes);
        return await Stage.AddConsumerAsync(own, topic, audit, _ => null, cancellation: cancellation);
    }
}
