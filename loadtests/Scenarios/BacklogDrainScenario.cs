using Danube.Fast.Client;
using Danube.Fast.LoadTests.Audit;
using Danube.Fast.LoadTests.Engine;
using Danube.Fast.LoadTests.Traffic;
using Danube.Fast.Protocol;

namespace Danube.Fast.LoadTests.Scenarios;

/// <summary>
/// A backlog grows while nobody consumes; then the consumer comes, and takes it while the publishing goes on at a tenth of the rate: how quickly it is
/// drained, and what the publishers notice of it.
/// </summary>
public sealed class BacklogDrainScenario(string name, ScenarioSettings settings) : LoadScenario(name, settings)
{
    private const string DrainRate = "drain rate", Live = "end-to-end of what came during the drain";

    private DanubeClient? _client;
    private AuditedProducer? _producer;
    private SubscriptionAudit? _audit;
    private string _topic = "";
    private int _hasStarted;
    private Task _drain = Task.CompletedTask;

    protected override async Task PrepareAsync(CancellationToken cancellation)
    {
        _client = await Stage.ConnectAsync(cancellation: cancellation);
        _topic = await Stage.CreateTopicAsync(_client, "t", new TopicSpec(), cancellation);
        _producer = await Stage.AddProducerAsync(_client, _topic, cancellation);
        _audit = Stage.Auditor.AddSubscription("late", Stage.Auditor.Lanes);
        Recorder.Step(Live);
    }

    protected override Task<Response> RunAsync(ScenarioContext context)
    {
        if (context.SimulationIndex == 1 && Interlocked.Exchange(ref _hasStarted, 1) == 0)
        {
            _drain = Task.Run(() => DrainAsync(context.IntendedTimestamp));
        }

        return Step.Run(Publish, context, () => _producer!.SendAsync(Settings.SizeBytes, context.IntendedTimestamp));
    }

    protected override IEnumerable<LoadSimulation> Simulations() => [Inject(Settings.Rate, Settings.During / 2), Inject(Settings.Rate / 10, Settings.During / 2)];

    protected override async Task EndAsync()
    {
        // Interrupted before: the auditor must not miss a consumer that never was.
        if (_hasStarted == 0 && _client is not null)
        {
            await DrainAsync(Recorder.Time.GetTimestamp());
        }

        await _drain;
    }

    // Messages that wait behind the backlog are late by nature: their latency has no limit, the drain rate has.
    protected override IEnumerable<string> EndToEndSteps => [];

    protected override IEnumerable<Threshold> Thresholds() => base.Thresholds()
        .Append(Threshold.AtLeast(DrainRate, 2 * Settings.Rate, "/s", s => s.FigureOf(DrainRate)));

    private async Task DrainAsync(long since)
    {
        try
        {
            StepRecorder live = Recorder.Step(Live);
            long backlog = Stage.Auditor.Lanes.Sum(l => l.Acknowledged), started = Recorder.Time.GetTimestamp();
            AuditedConsumer consumer = await Stage.AddConsumerAsync(_client!, _topic, _audit!, due => due >= since ? live : null);
            while (consumer.Received < backlog && Recorder.Time.GetElapsedTime(started) < Settings.During + TimeSpan.FromSeconds(60))
            {
                await Task.Delay(5);
            }

            double seconds = Recorder.Time.GetElapsedTime(started).TotalSeconds;
            Recorder.SetFigure("backlog", backlog, "messages");
            Recorder.SetFigure("drained in", seconds, "s");
            Recorder.SetFigure(DrainRate, backlog / seconds, "/s");
        }
        catch (DanubeException e)
        {
            Recorder.AddFinding("the consumer of the backlog failed: " + e.Message);
        }
    }
}
