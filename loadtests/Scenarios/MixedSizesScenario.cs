using Danube.Fast.Client;
using Danube.Fast.LoadTests.Audit;
using Danube.Fast.LoadTests.Engine;
using Danube.Fast.LoadTests.Traffic;
using Danube.Fast.Protocol;

namespace Danube.Fast.LoadTests.Scenarios;

/// <summary>Messages of 16 bytes to 10 MB on one topic, a producer for each size; those above the frame limit of 1 MiB travel in chunks.</summary>
public sealed class MixedSizesScenario(string name, ScenarioSettings settings) : LoadScenario(name, settings)
{
    private const int FrameLimit = 1024 * 1024;

    // Of 1,000 messages.
    private static readonly SizeClass[] Classes =
    [
        new("16 B", 16, 400), new("256 B", 256, 300), new("4 KiB", 4096, 200), new("64 KiB", 64 * 1024, 80), new("1 MB", 1_000_000, 17), new("10 MB", 10_000_000, 3),
    ];

    private readonly List<AuditedProducer> _producers = [];
    private readonly int[] _classOf = Shuffled();

    protected override async Task PrepareAsync(CancellationToken cancellation)
    {
        var options = new DanubeClientOptions { MaxFrame = FrameLimit };
        DanubeClient client = await Stage.ConnectAsync(options, cancellation: cancellation);
        string topic = await Stage.CreateTopicAsync(client, "t", new TopicSpec(), cancellation);
        foreach (SizeClass _ in Classes)
        {
            _producers.Add(await Stage.AddProducerAsync(client, topic, cancellation));
        }

        SubscriptionAudit audit = Stage.Auditor.AddSubscription("all", Stage.Auditor.Lanes);
        await Stage.AddConsumerAsync(client, topic, audit, cancellation: cancellation);
        Recorder.AddNote($"Messages above {FrameLimit / 1024:N0} KiB travel in chunks.");
    }

    protected override async Task<Response> RunAsync(ScenarioContext context)
    {
        int which = _classOf[context.InvocationNumber % _classOf.Length];
        SizeClass size = Classes[which];

        // Filling ten million bytes takes milliseconds that are not the injector's.
        if (size.Bytes > 64 * 1024)
        {
            await Task.Yield();
        }

        return await Step.Run($"{Publish} {size.Name}", context, () => _producers[which].SendAsync(size.Bytes, context.IntendedTimestamp));
    }

    protected override IEnumerable<string> PublishSteps => Classes.Select(c => $"{Publish} {c.Name}");

    // Always the same order, so that two runs are comparable.
    private static int[] Shuffled()
    {
        int[] all = [.. Classes.SelectMany((c, i) => Enumerable.Repeat(i, c.PerThousand))];
        new Random(5).Shuffle(all);
        return all;
    }

    private readonly record struct SizeClass(string Name, int Bytes, int PerThousand);
}
