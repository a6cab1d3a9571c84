using Danube.Fast.Client;
using Danube.Fast.LoadTests.Audit;
using Danube.Fast.LoadTests.Engine;
using Danube.Fast.LoadTests.Traffic;
using Danube.Fast.Protocol;

namespace Danube.Fast.LoadTests.Scenarios;

/// <summary>
/// Many clients, two connections each, through a relay that cuts all of them at once, several times, in the middle of the traffic. All come back by
/// themselves, nothing is lost, and nothing comes twice.
/// </summary>
public sealed class ReconnectStormScenario(string name, ScenarioSettings settings) : LoadScenario(name, settings)
{
    private const string Reconnect = "reconnect", Back = "connections that came back in each storm";
    private const int Storms = 3;

    private AuditedProducer[] _producers = [];
    private CuttableRelay? _relay;
    private long _cutAt;
    private int _storm;
    private long _restored;

    private int Clients => Math.Max(1, Settings.Connections / 2);

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _relay?.Dispose();
    }

    protected override async Task PrepareAsync(CancellationToken cancellation)
    {
        (string host, int port) = BrokerUrl.Split(Settings.Url);
        _relay = new CuttableRelay(host, port);
        string url = "danube://127.0.0.1:" + _relay.Port;
        StepRecorder step = Recorder.Step(Reconnect);
        var options = new DanubeClientOptions
        {
            OnConnectionChange = change =>
            {
                if (change.State == ConnectionState.Restored && Volatile.Read(ref _cutAt) is var cut and > 0)
                {
                    Interlocked.Increment(ref _restored);
                    step.Record(Response.Ok(), cut);
                }
            },
        };
        AuditLane[] lanes = [.. Enumerable.Range(0, Clients).Select(_ => Stage.Auditor.AddLane())];
        SubscriptionAudit[] audits = [.. lanes.Select(l => Stage.Auditor.AddSubscription("s" + l.Index, [l]))];
        _producers = new AuditedProducer[Clients];
        await Stage.ForEachAsync(Clients, "clients", async (i, token) =>
        {
            DanubeClient client = await Stage.ConnectAsync(options, url, token);
            string topic = await Stage.CreateTopicAsync(client, "t" + i, new TopicSpec(), token);
            _producers[i] = await TrafficStage.AddProducerAsync(client, topic, lanes[i], token);
            await Stage.AddConsumerAsync(client, topic, audits[i], cancellation: token);
        }, cancellation);
        Recorder.SetFigure("connections", _relay.Connections, "");
    }

    protected override Task<Response> RunAsync(ScenarioContext context)
    {
        if (context.SimulationIndex > Volatile.Read(ref _storm) && Interlocked.Exchange(ref _storm, context.SimulationIndex) < context.SimulationIndex)
        {
            Volatile.Write(ref _cutAt, Recorder.Time.GetTimestamp());

            // Closing a thousand sockets is not the injector's work.
            _ = Task.Run(_relay!.Cut);
        }

        AuditedProducer producer = _producers[context.InvocationNumber % _producers.Length];
        return Step.Run(Publish, context, () => producer.SendAsync(Settings.SizeBytes, context.IntendedTimestamp));
    }

    // A calm stretch, then one that begins with a cut for each storm.
    protected override IEnumerable<LoadSimulation> Simulations() => Enumerable.Repeat(Inject(Settings.Rate, Settings.During / (Storms + 1)), Storms + 1);

    protected override Task EndAsync()
    {
        Recorder.SetFigure(Back, Interlocked.Read(ref _restored) / (double)Storms, "");
        Recorder.SetFigure("connections at the end", _relay?.Connections ?? 0, "");
        return Task.CompletedTask;
    }

    protected override IEnumerable<Threshold> Thresholds() =>
    [
        .. base.Thresholds(),
        Threshold.AtLeast(Back, 2 * Clients, "", s => s.FigureOf(Back)),
        Threshold.AtMost("reconnect p99", 5_000, "ms", s => P99Of(s, Reconnect)),
    ];
}
