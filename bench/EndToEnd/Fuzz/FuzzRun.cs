using Danube.Fast.Client;
using Danube.Fast.Harness;
using Danube.Fast.Protocol;

namespace Danube.Fast.Bench.Fuzz;

/// <summary>What a malformed-input run should do.</summary>
public sealed record FuzzSettings
{
    public long Frames { get; init; } = 1_000_000;
    public int Seed { get; init; } = 20240229;
    public int Threads { get; init; } = 4;

    /// <summary>Told about progress a few times a second.</summary>
    public Action<long>? OnProgress { get; init; }
}

/// <summary>What it found. <see cref="Failures"/> is empty when the broker behaved.</summary>
public sealed record FuzzReport
{
    public long Frames { get; init; }
    public long Connections { get; init; }
    public TimeSpan Duration { get; init; }
    public IReadOnlyDictionary<string, long> Errors { get; init; } = new Dictionary<string, long>();
    public IReadOnlyCollection<string> Failures { get; init; } = [];
    public long ControlMessages { get; init; }
    public double ControlP99Nanoseconds { get; init; }

    /// <summary>Private memory of the broker after a third of the run, and at its end, bytes.</summary>
    public long MemoryEarly { get; init; }
    public long MemoryLate { get; init; }
}

/// <summary>
/// Mutated frames from a fixed seed against a live broker process, beside a control pair that must not notice. The broker must not crash, hang or
/// grow.
/// </summary>
public static class FuzzRun
{
    /// <summary>An answer that takes longer counts as a hang.</summary>
    public static readonly TimeSpan HangGuard = TimeSpan.FromSeconds(30);

    private const long MaxGrowthBytes = 64L * 1024 * 1024;

    /// <summary>
    /// Options for the broker: topics are not created by misspelt names, and subscriptions are few, so that what a legal request may create does not
    /// look like a leak; a small gen-0 budget makes growth show early.
    /// </summary>
    public static BrokerOptions BrokerOptions { get; } = new()
    {
        Environment = new Dictionary<string, string>
        {
            ["DANUBE__TOPICS__AUTO_CREATE"] = "false",
            ["DANUBE__LIMITS__MAX_SUBSCRIPTIONS_PER_TOPIC"] = "32",
            ["DANUBE__LOG__LEVEL"] = "error",
            ["DOTNET_GCgen0size"] = "0x1000000",

            // Runaway growth ends the broker, not the machine.
            ["DOTNET_GCHeapHardLimit"] = "0x40000000",
        },
    };

    /// <summary>The topic that mutated frames are about. Small, so that what they manage to publish does not add up.</summary>
    internal static TopicSpec Target { get; } = new() { Topic = FrameCorpus.Topic, Durability = "os", RetentionBytes = 32L * 1024 * 1024 };

    public static async Task<FuzzReport> RunAsync(BrokerProcess broker, FuzzSettings settings)
    {
        var tally = new FuzzTally();
        long started = Environment.TickCount64;
        await using (DanubeClient client = await DanubeClient.ConnectAsync(broker.Url))
        {
            await client.CreateTopicAsync(Target);
        }

        await using ControlPair control = await ControlPair.StartAsync(broker.Url, tally);
        Thread[] threads = [.. Enumerable.Range(0, settings.Threads).Select(i => new Thread(() => RunShare(broker, settings, i, tally)))];
        Array.ForEach(threads, t => t.Start());
        long early = 0;
        while (threads.Any(t => t.IsAlive))
        {
            await Task.Delay(100);
            settings.OnProgress?.Invoke(tally.Frames);
            if (early == 0 && tally.Frames >= settings.Frames / 3 && !broker.HasExited)
            {
                early = ProcessMemory.PrivateBytes(broker.Pid);
            }
        }

        long late = 0;
        if (broker.HasExited)
        {
            tally.Fail("the broker has exited:\n" + broker.Output);
        }
        else
        {
            late = ProcessMemory.PrivateBytes(broker.Pid);
            if (early > 0 && late - early > MaxGrowthBytes)
            {
                tally.Fail($"the broker's memory grew from {early / 1_000_000} MB after a third of the run to {late / 1_000_000} MB");
            }

            await control.FinishAsync();
        }

        return new FuzzReport
        {
            Frames = tally.Frames,
            Connections = tally.Connections,
            Duration = TimeSpan.FromMilliseconds(Environment.TickCount64 - started),
            Errors = tally.Errors,
            Failures = tally.Failures,
            ControlMessages = control.Received,
            ControlP99Nanoseconds = control.Latency.Percentile(99),
            MemoryEarly = early,
            MemoryLate = late,
        };
    }

    private static void RunShare(BrokerProcess broker, FuzzSettings settings, int index, FuzzTally tally) =>
        new FuzzConnection(broker.Native, (settings.Seed * 31) + index, tally).Run((settings.Frames / settings.Threads) + 1);
}
