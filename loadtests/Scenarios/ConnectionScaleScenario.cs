using System.Collections.Concurrent;
using Danube.Fast.Client;
using Danube.Fast.LoadTests.Engine;
using Danube.Fast.LoadTests.Traffic;
using Danube.Fast.LoadTests.Watch;
using Danube.Fast.Protocol;

namespace Danube.Fast.LoadTests.Scenarios;

/// <summary>
/// Traffic on one topic, first alone, then while thousands of idle connections are opened, then beside them: what they cost the traffic and the broker's
/// memory. In the end each of them must still answer.
/// </summary>
public sealed class ConnectionScaleScenario(string name, ScenarioSettings settings) : LoadScenario(name, settings)
{
    private const string Before = "end-to-end alone", Opening = "end-to-end while they connect", Beside = "end-to-end beside idle connections";
    private const string Connect = "connect", Ping = "ping at the end", Memory = "memory per connection";
    private const int Alone = 0, Idle = 2;

    private readonly ConcurrentBag<DanubeClient> _idle = [];
    private readonly long[] _stageStart = [long.MaxValue, long.MaxValue, long.MaxValue];
    private AuditedProducer? _producer;
    private Task _opening = Task.CompletedTask;
    private int _lost;
    private long? _memoryBefore;

    protected override async Task PrepareAsync(CancellationToken cancellation)
    {
        DanubeClient client = await Stage.ConnectAsync(cancellation: cancellation);
        string topic = await Stage.CreateTopicAsync(client, "t", new TopicSpec(), cancellation);
        _producer = await Stage.AddProducerAsync(client, topic, cancellation);
        StepRecorder before = Recorder.Step(Before), opening = Recorder.Step(Opening), beside = Recorder.Step(Beside);
        await Stage.AddConsumerAsync(
            client, topic, Stage.Auditor.AddSubscription("all", Stage.Auditor.Lanes),
            due => due >= Volatile.Read(ref _stageStart[Idle]) ? beside : due >= Volatile.Read(ref _stageStart[1]) ? opening : before, cancellation: cancellation);
    }

    protected override Task<Response> RunAsync(ScenarioContext context)
    {
        int stage = context.SimulationIndex;
        if (stage > Alone && Interlocked.CompareExchange(ref _stageStart[stage], context.IntendedTimestamp, long.MaxValue) == long.MaxValue && stage == 1)
        {
            _opening = Task.Run(() => OpenAsync(context.Cancellation));
        }

        return Step.Run(Publish, context, () => _producer!.SendAsync(Settings.SizeBytes, context.IntendedTimestamp));
    }

    protected override IEnumerable<LoadSimulation> Simulations() =>
        [Inject(Settings.Rate, Settings.During * 0.25), Inject(Settings.Rate, Settings.During * 0.5), Inject(Settings.Rate, Settings.During * 0.25)];

    protected override async Task EndAsync()
    {
        await _opening;
        Recorder.SetFigure("idle connections", _idle.Count, "");
        if (await Settings.Broker.ReadAsync() is { } after && _memoryBefore is { } before && !_idle.IsEmpty)
        {
            Recorder.SetFigure(Memory, (after.MemoryBytes - before) / 1024.0 / _idle.Count, "KiB");
        }

        StepRecorder ping = Recorder.Step(Ping);
        Recorder.Activity = "pinging";
        await Parallel.ForEachAsync(_idle, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (client, _) =>
        {
            long started = Recorder.Time.GetTimestamp();
            ping.Record(await AnswerAsync(client), started);
        });
        Recorder.SetFigure("connections lost", Volatile.Read(ref _lost), "");
    }

    protected override IEnumerable<string> EndToEndSteps => [Before, Beside];

    protected override IEnumerable<Threshold> Thresholds() =>
    [
        .. base.Thresholds(),
        Threshold.AtLeast("idle connections", Settings.Connections, "", s => s.FigureOf("idle connections")),
        Threshold.AtLeast("connections that answer in the end", Settings.Connections, "", s => s.GetStepStats(Ping).Ok.Request.Count),
        Threshold.AtMost("connections lost", 0, "", s => s.FigureOf("connections lost")),
        Threshold.AtMost(Memory, 100, "KiB", s => s.FigureOf(Memory)).Unless(_ => Settings.Broker.IsAvailable ? null : BrokerWatch.WhyNot),
        NotMuchWorse(Beside, Before, 2, 50),
    ];

    private static async Task<Response> AnswerAsync(DanubeClient client)
    {
        try
        {
            await client.PingAsync();
            return Response.Ok();
        }
        catch (DanubeException e)
        {
            return Response.Fail(e.Message);
        }
    }

    private async Task OpenAsync(CancellationToken cancellation)
    {
        try
        {
            _memoryBefore = (await Settings.Broker.ReadAsync())?.MemoryBytes;
            var options = new DanubeClientOptions { OnConnectionChange = change => Interlocked.Add(ref _lost, change.State == ConnectionState.Lost ? 1 : 0) };
            StepRecorder connect = Recorder.Step(Connect);
            await Stage.ForEachAsync(Settings.Connections, "idle connections", async (_, token) =>
            {
                long started = Recorder.Time.GetTimestamp();
                _idle.Add(await Stage.ConnectAsync(options, cancellation: token));
                connect.Record(Response.Ok(), started);
            }, cancellation);
        }
        catch (OperationCanceledException)
        {
            // Interrupted.
        }
        catch (DanubeException e)
        {
            Recorder.AddFinding($"connection {_idle.Count + 1:N0} could not be opened: {e.Message}");
        }
    }
}
