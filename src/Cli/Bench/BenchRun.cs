using System.Globalization;
using Danube.Fast.Cli.Demo;
using Danube.Fast.Cli.Terminal;
using Danube.Fast.Client;
using Danube.Fast.Protocol;

namespace Danube.Fast.Cli.Bench;

/// <summary>One run of <c>bench</c>: consumers first, then producers for the time asked for, then all that was published is waited for.</summary>
internal sealed class BenchRun(BenchSettings settings, TextWriter output, TextWriter error)
{
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(1);

    // Consumers that get nothing for so long get nothing more.
    private static readonly TimeSpan CatchUp = TimeSpan.FromSeconds(5);

    private readonly BenchClock _clock = new();

    /// <summary>Measures; returns the exit code.</summary>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        await using DanubeClient client = await BrokerSession.OpenAsync(settings.Url, error, cancellationToken);
        string run = Guid.NewGuid().ToString("N")[..12];
        string topic = settings.Topic ?? "/default/bench-" + run;
        try
        {
            return await MeasureAsync(client, topic, run, cancellationToken);
        }
        finally
        {
            await CleanUpAsync(client, topic, run);
        }
    }

    private async Task<int> MeasureAsync(DanubeClient client, string topic, string run, CancellationToken cancellationToken)
    {
        BenchConsumer[] consumers = [.. Enumerable.Range(0, settings.Consumers).Select(i => new BenchConsumer(_clock, topic, Subscription(run, i), settings.Durability))];
        BenchProducer[] producers = [.. Enumerable.Range(0, settings.Producers).Select(_ => new BenchProducer(_clock, settings, topic))];
        foreach (BenchConsumer consumer in consumers)
        {
            await consumer.SubscribeAsync(client, cancellationToken);
        }

        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task[] consuming = [.. consumers.Select(c => c.RunAsync(ended.Token))];
        using var time = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _clock.Start(WarmUp, settings.Length);
        time.CancelAfter(WarmUp + settings.Length);
        await ProgressDisplay.RunAsync(
            () => Task.WhenAll(producers.Select(p => p.RunAsync(client, time.Token))),
            new ProgressLine("measuring", (WarmUp + settings.Length).TotalSeconds, Elapsed()));
        cancellationToken.ThrowIfCancellationRequested();

        long published = producers.Sum(p => p.Meter.All);
        bool complete = await CaughtUpAsync(consumers, published, cancellationToken);
        await ended.CancelAsync();
        await Task.WhenAll(consuming);
        Write(topic, producers, consumers);
        if (complete)
        {
            return CliCommandLine.Success;
        }

        bool mayDrop = (await client.DescribeTopicAsync(topic, cancellationToken)).Durability == "memory";
        await error.WriteLineAsync(
            $"danube-cli: of {published} messages published a consumer got {consumers.Min(c => c.Meter.All)}{(mayDrop ? ": memory topics drop the oldest when consumers are slower" : "")}.");
        return mayDrop ? CliCommandLine.Success : CliCommandLine.Failure;
    }

    private static Func<double> Elapsed()
    {
        long started = Environment.TickCount64;
        return () => (Environment.TickCount64 - started) / 1000.0;
    }

    private static async Task<bool> CaughtUpAsync(BenchConsumer[] consumers, long published, CancellationToken cancellationToken)
    {
        long received = -1, since = Environment.TickCount64;
        while (!Array.TrueForAll(consumers, c => c.Meter.All >= published))
        {
            if (consumers.Sum(c => c.Meter.All) is var now && now != received)
            {
                received = now;
                since = Environment.TickCount64;
            }
            else if (Environment.TickCount64 - since > CatchUp.TotalMilliseconds)
            {
                return false;
            }

            await Task.Delay(20, cancellationToken);
        }

        return true;
    }

    private void Write(string topic, BenchProducer[] producers, BenchConsumer[] consumers)
    {
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{settings.MessageBytes} bytes, {settings.Producers} producer(s), {settings.Consumers} consumer(s), {settings.Length.TotalSeconds:0} s, {(settings.Rate is { } rate ? $"{rate:0} messages/s asked for" : "full windows")}, {topic}"));
        output.WriteLine();
        var table = new TextTable("", "MESSAGES", "PER_SECOND", "MB_PER_SECOND", "P50_MS", "P99_MS", "P99.9_MS", "MAX_MS");
        Add(table, "acknowledged", [.. producers.Select(p => p.Meter)]);
        if (consumers.Length > 0)
        {
            Add(table, "received", [.. consumers.Select(c => c.Meter)]);
        }

        table.WriteTo(output);
    }

    private void Add(TextTable table, string name, Meter[] meters)
    {
        var latencies = new LatencyHistogram();
        foreach (Meter meter in meters)
        {
            latencies.Add(meter.Latencies);
        }

        long messages = meters.Sum(m => m.Counted);
        double perSecond = messages / settings.Length.TotalSeconds;
        table.Add(
            name, messages, perSecond.ToString("0", CultureInfo.InvariantCulture), (perSecond * settings.MessageBytes / 1e6).ToString("0.0", CultureInfo.InvariantCulture),
            Milliseconds(latencies, 50), Milliseconds(latencies, 99), Milliseconds(latencies, 99.9), Milliseconds(latencies, 100));
    }

    private static string Milliseconds(LatencyHistogram latencies, double percent) =>
        latencies.Count == 0 ? "-" : (latencies.Percentile(percent) / 1000.0).ToString("0.00", CultureInfo.InvariantCulture);

    private static string Subscription(string run, int index) => $"bench-{run}-{index}";

    private async Task CleanUpAsync(DanubeClient client, string topic, string run)
    {
        try
        {
            if (settings.Topic is null)
            {
                await client.DeleteTopicAsync(topic, CancellationToken.None);
                return;
            }

            for (int i = 0; i < settings.Consumers; i++)
            {
                await client.UnsubscribeAsync(topic, Subscription(run, i), CancellationToken.None);
            }
        }
        catch (DanubeException e) when (e.Code is ErrorCode.TopicNotFound or ErrorCode.SubscriptionNotFound)
        {
            // It was never made.
        }
    }
}
