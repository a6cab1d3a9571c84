using Danube.Fast.Client;
using Danube.Fast.LoadTests.Audit;
using Danube.Fast.LoadTests.Engine;
using Danube.Fast.LoadTests.Traffic;
using Danube.Fast.LoadTests.Watch;
using Danube.Fast.Protocol;

namespace Danube.Fast.LoadTests.Scenarios;

/// <summary>
/// Steady traffic for as long as wanted: several producers, an exclusive and a shared subscription, a topic that discards what all have acknowledged.
/// What counts is how the broker's memory goes over time and how much it allocates per message.
/// </summary>
public sealed class SoakScenario(string name, ScenarioSettings settings) : LoadScenario(name, settings)
{
    private const string Slope = "growth of the broker's memory", Rate = "allocated by the broker", PerMessage = "allocated per published message";

    // The broker allocates some KiB per second. Until its heap has had a few collections its memory grows by that.
    private static readonly TimeSpan ShortestJudged = TimeSpan.FromMinutes(60);

    private readonly List<AuditedProducer> _producers = [];

    protected override async Task PrepareAsync(CancellationToken cancellation)
    {
        DanubeClient client = await Stage.ConnectAsync(cancellation: cancellation);
        string topic = await Stage.CreateTopicAsync(client, "t", new TopicSpec { DiscardAcknowledged = true }, cancellation);
        for (int i = 0; i < Settings.Producers; i++)
        {
            _producers.Add(await Stage.AddProducerAsync(client, topic, cancellation));
        }

        await Stage.AddConsumerAsync(client, topic, Stage.Auditor.AddSubscription("all", Stage.Auditor.Lanes), cancellation: cancellation);
        SubscriptionAudit shared = Stage.Auditor.AddSubscription("shared", Stage.Auditor.Lanes, new AuditRules(IsUnordered: true, AllowsDuplicates: false));
        for (int i = 0; i < Settings.Consumers; i++)
        {
            await Stage.AddConsumerAsync(client, topic, shared, null, SubscriptionType.Shared, 2_000, cancellation);
        }
    }

    protected override Task<Response> RunAsync(ScenarioContext context)
    {
        AuditedProducer producer = _producers[(int)(context.InvocationNumber % _producers.Count)];
        return Step.Run(Publish, context, () => producer.SendAsync(Settings.SizeBytes, context.IntendedTimestamp));
    }

    protected override Task EndAsync()
    {
        IReadOnlyList<BrokerSample> samples = Settings.Broker.Samples;
        if (MemoryTrend.Of(samples) is { } trend)
        {
            Recorder.SetFigure(Slope, trend.MegabytesPerHour, "MB/h");
            Recorder.SetFigure("memory, first third", trend.FirstMegabytes, "MB");
            Recorder.SetFigure("memory, last third", trend.LastMegabytes, "MB");
        }

        BrokerSample[] counted = [.. samples.Where(s => s.AllocatedBytes is not null)];
        if (counted.Length > 1 && counted[^1].Seconds > counted[0].Seconds)
        {
            double perSecond = (counted[^1].AllocatedBytes!.Value - counted[0].AllocatedBytes!.Value) / (counted[^1].Seconds - counted[0].Seconds);
            Recorder.SetFigure(Rate, perSecond / 1024, "KiB/s");
            Recorder.SetFigure(PerMessage, perSecond / Settings.Rate, "B");
        }

        return Task.CompletedTask;
    }

    protected override IEnumerable<Threshold> Thresholds() =>
    [
        .. base.Thresholds(),
        Threshold.AtMost(Slope, Settings.MaxMemorySlope, "MB/h", s => s.FigureOf(Slope)).Unless(s => !Settings.Broker.IsAvailable ? BrokerWatch.WhyNot
            : s.Duration < ShortestJudged ? $"shorter than {ShortestJudged.TotalMinutes:0} minutes" : null),
    ];
}
