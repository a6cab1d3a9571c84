using Danube.Fast.Harness;
using Danube.Fast.LoadTests.Engine;
using Danube.Fast.LoadTests.Reports;
using Danube.Fast.LoadTests.Scenarios;
using Danube.Fast.LoadTests.Watch;

namespace Danube.Fast.LoadTests.Runs;

/// <summary>One scenario from the start of its broker, when it has one of its own, to the report.</summary>
public sealed class LoadRun(ScenarioEntry entry, ScenarioSettings settings, string? metrics, IProgressView progress)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <exception cref="LoadRunException">It could not be run at all.</exception>
    public async Task<RunReport> ExecuteAsync(CancellationToken cancellation)
    {
        if (FileLimit.Complaint(FileLimit.Current(), ScenarioCatalog.SocketsOf(entry, settings)) is { } complaint)
        {
            throw new LoadRunException(complaint);
        }

        var recorder = new ScenarioRecorder(entry.Name, TimeProvider.System) { Activity = "starting" };
        try
        {
            await using BrokerProcess? own = settings.Url.Length == 0 ? await StartBrokerAsync() : null;
            ScenarioSettings used = settings with
            {
                Url = own?.Url ?? settings.Url,
                DeletesTopics = own is null,
                Broker = new BrokerWatch(own?.Pid, own?.Http ?? metrics),
            };
            return await progress.RunAsync(recorder, entry, used, () => RunAsync(used, own, recorder, cancellation));
        }
        catch (Exception e) when (e is Client.DanubeException or BrokerStartException or FileNotFoundException or DirectoryNotFoundException)
        {
            throw new LoadRunException($"{entry.Name} could not be run ({(recorder.Activity)}): {e.Message}");
        }
    }

    private static async Task<BrokerProcess> StartBrokerAsync()
    {
        using var shield = new InterruptShield();
        return await BrokerProcess.StartAsync(new BrokerOptions { OnStarted = _ => shield.Dispose() });
    }

    private async Task<RunReport> RunAsync(ScenarioSettings used, BrokerProcess? own, ScenarioRecorder recorder, CancellationToken cancellation)
    {
        RunEnvironment environment = RunEnvironment.Current();
        await using LoadScenario scenario = entry.Make(used);
        using var over = new CancellationTokenSource();
        Task watching = WatchAsync(recorder, used.Broker, over.Token);
        long began = Environment.TickCount64;
        TimeSpan cpu = Environment.CpuUsage.TotalTime;
        ScenarioStats stats;
        try
        {
            stats = await new ScenarioRunner(scenario.Build(), recorder).RunAsync(cancellation);
        }
        finally
        {
            await over.CancelAsync();
            await watching;
        }

        double clientCpu = (Environment.CpuUsage.TotalTime - cpu).TotalMilliseconds / Math.Max(1, Environment.TickCount64 - began);
        if (own is { HasExited: true } && !stats.IsInterrupted)
        {
            stats = stats with { Findings = [.. stats.Findings, "the broker ended during the run; it said: " + own.Output] };
        }

        recorder.Activity = "closing";
        return new RunReport(entry.Description, used, environment, stats, used.Broker.Samples, own is not null, clientCpu);
    }

    /// <summary>Once a second: closes an interval of the timeline, samples the broker, shows both.</summary>
    private async Task WatchAsync(ScenarioRecorder recorder, BrokerWatch broker, CancellationToken over)
    {
        try
        {
            using var timer = new PeriodicTimer(Interval);
            while (await timer.WaitForNextTickAsync(over))
            {
                IReadOnlyDictionary<string, TimelinePoint> points = recorder.Roll();
                if (recorder.Elapsed > TimeSpan.Zero)
                {
                    await broker.SampleAsync(recorder.Elapsed.TotalSeconds);
                }

                progress.Show(recorder, points, broker.Samples.Count > 0 ? broker.Samples[^1] : null);
            }
        }
        catch (OperationCanceledException)
        {
            // The run is over.
        }
    }
}

/// <summary>A run that could not take place; the message says what to do.</summary>
public sealed class LoadRunException(string message) : Exception(message);
