using System.Text;
using Danube.Fast.Client;
using Danube.Fast.LoadTests.Audit;
using Danube.Fast.LoadTests.Engine;
using Danube.Fast.LoadTests.Traffic;
using Danube.Fast.Protocol;

namespace Danube.Fast.LoadTests.Scenarios;

/// <summary>A key-shared subscription whose consumers come and go: the messages of each key stay in order, and none comes twice.</summary>
public sealed class KeySharedScenario(string name, ScenarioSettings settings) : LoadScenario(name, settings)
{
    private const string Changes = "changes of consumers";
    private const int Credit = 2_000, ChangesOfARun = 12;

    private readonly CancellationTokenSource _end = new();
    private readonly Queue<AuditedConsumer> _consumers = new();
    private byte[][] _keys = [];
    private AuditLane[] _lanes = [];
    private AuditedProducer? _producer;
    private Task _churn = Task.CompletedTask;

    public override async ValueTask DisposeAsync()
    {
        await EndAsync();
        await base.DisposeAsync();
        _end.Dispose();
    }

    protected override async Task PrepareAsync(CancellationToken cancellation)
    {
        DanubeClient client = await Stage.ConnectAsync(cancellation: cancellation);
        string topic = await Stage.CreateTopicAsync(client, "t", new TopicSpec(), cancellation);
        _keys = [.. Enumerable.Range(0, Settings.Keys).Select(i => Encoding.UTF8.GetBytes("key-" + i))];
        _lanes = [.. _keys.Select(_ => Stage.Auditor.AddLane())];
        _producer = await TrafficStage.AddProducerAsync(client, topic, _lanes[0], cancellation);
        SubscriptionAudit audit = Stage.Auditor.AddSubscription("key-shared", _lanes);
        for (int i = 0; i < Settings.Consumers; i++)
        {
            _consumers.Enqueue(await JoinAsync(client, topic, audit));
        }

        Recorder.SetFigure(Changes, 0, "");
        _churn = ChurnAsync(client, topic, audit);
    }

    protected override Task<Response> RunAsync(ScenarioContext context)
    {
        int key = (int)(context.InvocationNumber % _lanes.Length);
        return Step.Run(Publish, context, () => _producer!.SendAsync(_lanes[key], Settings.SizeBytes, context.IntendedTimestamp, _keys[key]));
    }

    protected override async Task EndAsync()
    {
        await _end.CancelAsync();
        await _churn;
    }

    protected override IEnumerable<Threshold> Thresholds() => base.Thresholds().Append(Threshold.AtLeast(Changes, 2, "", s => s.FigureOf(Changes)));

    private Task<AuditedConsumer> JoinAsync(DanubeClient client, string topic, SubscriptionAudit audit) =>
        Stage.AddConsumerAsync(client, topic, audit, null, SubscriptionType.KeyShared, Credit);

    /// <summary>One leaves and one joins, in turns, so that both orders happen: first fewer consumers, then more.</summary>
    private async Task ChurnAsync(DanubeClient client, string topic, SubscriptionAudit audit)
    {
        try
        {
            for (int changes = 1; ; changes++)
            {
                await Task.Delay(Settings.During / ChangesOfARun, _end.Token);
                if (changes % 2 == 1)
                {
                    await Stage.RemoveConsumerAsync(_consumers.Dequeue());
                }
                else
                {
                    _consumers.Enqueue(await JoinAsync(client, topic, audit));
                }

                Recorder.SetFigure(Changes, changes, "");
            }
        }
        catch (OperationCanceledException)
        {
            // The load is over.
        }
        catch (DanubeException e)
        {
            Recorder.AddFinding("a consumer could not come or go: " + e.Message);
        }
    }
}
