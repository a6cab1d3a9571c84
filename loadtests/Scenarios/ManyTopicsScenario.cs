using Danube.Fast.Client;
using Danube.Fast.LoadTests.Audit;
using Danube.Fast.LoadTests.Engine;
using Danube.Fast.LoadTests.Traffic;
using Danube.Fast.Protocol;

namespace Danube.Fast.LoadTests.Scenarios;

/// <summary>Very many topics, each with a producer and an exclusive consumer; messages go to one topic after the other.</summary>
public sealed class ManyTopicsScenario(string name, ScenarioSettings settings) : LoadScenario(name, settings)
{
    // Below the 4,096 channels that a connection may have.
    private const int TopicsPerClient = 2_500;

    private AuditedProducer[] _producers = [];

    protected override async Task PrepareAsync(CancellationToken cancellation)
    {
        int clients = (Settings.Topics + TopicsPerClient - 1) / TopicsPerClient;
        DanubeClient[] all = await Task.WhenAll(Enumerable.Range(0, clients).Select(_ => Stage.ConnectAsync(cancellation: cancellation)));
        AuditLane[] lanes = [.. Enumerable.Range(0, Settings.Topics).Select(_ => Stage.Auditor.AddLane())];
        SubscriptionAudit[] audits = [.. lanes.Select(l => Stage.Auditor.AddSubscription("t" + l.Index, [l]))];
        _producers = new AuditedProducer[Settings.Topics];
        long started = Recorder.Time.GetTimestamp();
        await Stage.ForEachAsync(Settings.Topics, "topics", async (i, token) =>
        {
            DanubeClient client = all[i % all.Length];
            string topic = await Stage.CreateTopicAsync(client, "t" + i, new TopicSpec(), token);
            _producers[i] = await TrafficStage.AddProducerAsync(client, topic, lanes[i], token);
            await Stage.AddConsumerAsync(client, topic, audits[i], cancellation: token);
        }, cancellation);
        Recorder.SetFigure("topics", Settings.Topics, "");
        Recorder.SetFigure("topics made with producer and consumer", Settings.Topics / Recorder.Time.GetElapsedTime(started).TotalSeconds, "/s");
    }

    protected override Task<Response> RunAsync(ScenarioContext context)
    {
        AuditedProducer producer = _producers[context.InvocationNumber % _producers.Length];
        return Step.Run(Publish, context, () => producer.SendAsync(Settings.SizeBytes, context.IntendedTimestamp));
    }
}
