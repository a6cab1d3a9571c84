using Danube.Fast.Client;
using Danube.Fast.LoadTests.Audit;
using Danube.Fast.LoadTests.Engine;
using Danube.Fast.LoadTests.Traffic;
using Danube.Fast.Protocol;

namespace Danube.Fast.LoadTests.Scenarios;

/// <summary>Topics with 1, 2, 4, 8, ... subscriptions, one after the other under the same rate: what each further subscription costs.</summary>
public sealed class FanOutScenario(string name, ScenarioSettings settings) : LoadScenario(name, settings)
{
    private readonly List<AuditedProducer> _producers = [];

    /// <summary>Doubling up to the setting, which is always the last.</summary>
    private int[] Counts
    {
        get
        {
            var counts = new List<int>();
            for (int count = 1; count < Settings.Consumers; count *= 2)
            {
                counts.Add(count);
            }

            return [.. counts, Math.Max(1, Settings.Consumers)];
        }
    }

    protected override async Task PrepareAsync(CancellationToken cancellation)
    {
        DanubeClient client = await Stage.ConnectAsync(cancellation: cancellation);
        foreach (int count in Counts)
        {
            string topic = await Stage.CreateTopicAsync(client, $"to-{count}", new TopicSpec(), cancellation);
            AuditedProducer producer = await Stage.AddProducerAsync(client, topic, cancellation);
            _producers.Add(producer);
            StepRecorder step = Recorder.Step(StepOf(count));
            for (int s = 0; s < count; s++)
            {
                SubscriptionAudit audit = Stage.Auditor.AddSubscription($"{count}-{s + 1}", [producer.Lane]);
                await Stage.AddConsumerAsync(client, topic, audit, _ => step, cancellation: cancellation);
            }
        }
    }

    protected override Task<Response> RunAsync(ScenarioContext context) =>
        Step.Run(Publish, context, () => _producers[context.SimulationIndex].SendAsync(Settings.SizeBytes, context.IntendedTimestamp));

    protected override IEnumerable<LoadSimulation> Simulations() => Counts.Select(_ => Inject(Settings.Rate, Settings.During / Counts.Length));

    protected override IEnumerable<string> EndToEndSteps => Counts.Select(StepOf);

    private static string StepOf(int subscriptions) => $"end-to-end, {subscriptions} subscription{(subscriptions == 1 ? "" : "s")}";
}
