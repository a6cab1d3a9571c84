using System.Globalization;
using System.Text.Json;
using Danube.Fast.Bench.Peers.Workers;

namespace Danube.Fast.Bench.Workers;

/// <summary>
/// The worker side of the control channel: one command per line on standard input (<c>run</c>, <c>pause</c>, <c>snap</c>, <c>clear</c>, <c>take</c> (snap and
/// clear at once), <c>count</c> (no histograms), <c>rate N</c>, <c>stop</c>), one snapshot in JSON per command on standard output. The end of the input means stop, so no worker outlives its parent.
/// </summary>
public static class WorkerHost
{
    private const int EndSeconds = 10;

    public static async Task<int> RunAsync(string jobJson)
    {
        WorkerJob job = JsonSerializer.Deserialize(jobJson, WorkerJson.Default.WorkerJob)!;
        LoadWorker worker = job.Role switch
        {
            WorkerRole.Consume when job.Peer is { } peer => new PeerConsumeWorker(job, peer),
            _ when job.Peer is { } peer => new PeerProduceWorker(job, peer),
            WorkerRole.Consume => new ConsumeWorker(job),
            WorkerRole.Spread => new SpreadWorker(job),
            _ => new ProduceWorker(job),
        };
        try
        {
            await worker.OpenAsync();
            Answer(worker.Snapshot());
            while (Console.In.ReadLine() is { } command && command != "stop")
            {
                switch (command)
                {
                    case "run":
                        worker.Run();
                        break;
                    case "pause":
                        await worker.PauseAsync();
                        break;
                    case "clear":
                        worker.Clear();
                        break;
                    case not null when command.StartsWith("rate ", StringComparison.Ordinal):
                        worker.SetRate(double.Parse(command.AsSpan("rate ".Length), CultureInfo.InvariantCulture));
                        break;
                }

                Answer(command switch
                {
                    "count" => worker.CountSnapshot(),
                    "take" => worker.Snapshot(true),
                    _ => worker.Snapshot(),
                });
            }
        }
        finally
        {
            await EndAsync(worker);
        }

        return 0;
    }

    // Producers whose broker is gone would wait for its return for ever.
    private static async Task EndAsync(LoadWorker worker)
    {
        try
        {
            await worker.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(EndSeconds));
        }
        catch (TimeoutException)
        {
            Console.Error.WriteLine("A worker process gives up what it has on the way.");
        }
    }

    private static void Answer(WorkerSnapshot snapshot)
    {
        Console.Out.WriteLine("SNAP " + JsonSerializer.Serialize(snapshot, WorkerJson.Default.WorkerSnapshot));
        Console.Out.Flush();
    }
}
