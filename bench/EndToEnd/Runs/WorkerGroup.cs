using Danube.Fast.Bench.Workers;
using Danube.Fast.Harness;

namespace Danube.Fast.Bench.Runs;

/// <summary>The producer (or consumer) processes of a run, driven as one. Counts add up, histograms are merged.</summary>
public sealed class WorkerGroup : IAsyncDisposable
{
    private readonly List<WorkerProcess> _workers = [];

    private WorkerGroup()
    {
    }

    public IReadOnlyList<WorkerProcess> Processes => _workers;

    /// <summary>Shares the clients and the rate of <paramref name="job"/> among the processes, none of which is left without a client.</summary>
    public static async Task<WorkerGroup> StartAsync(WorkerJob job, int processes, IReadOnlyDictionary<string, string> environment)
    {
        var group = new WorkerGroup();
        try
        {
            foreach (WorkerJob part in Share(job, processes))
            {
                group._workers.Add(await WorkerProcess.StartAsync(part, environment));
            }

            return group;
        }
        catch
        {
            await group.DisposeAsync();
            throw;
        }
    }

    public Task<WorkerSnapshot> RunAsync() => AllAsync(w => w.RunAsync());

    public Task<WorkerSnapshot> PauseAsync() => AllAsync(w => w.PauseAsync());

    public Task<WorkerSnapshot> SnapAsync() => AllAsync(w => w.SnapAsync());

    public Task<WorkerSnapshot> ClearAsync() => AllAsync(w => w.ClearAsync());

    public Task<WorkerSnapshot> TakeAsync() => AllAsync(w => w.TakeAsync());

    public Task<WorkerSnapshot> CountAsync() => AllAsync(w => w.CountAsync());

    /// <summary>The pace of the next run, messages per second of all processes; 0 = as fast as it goes. Processes have like numbers of producers.</summary>
    public Task<WorkerSnapshot> SetRateAsync(double perSecond) => AllAsync(w => w.SetRateAsync(perSecond / _workers.Count));

    /// <summary>Ends all of them at once, without waiting for what is on the way.</summary>
    public void Kill() => _workers.ForEach(w => w.Kill());

    public async ValueTask DisposeAsync() => await Task.WhenAll(_workers.Select(w => w.DisposeAsync().AsTask()));

    /// <summary>The jobs of the single processes.</summary>
    internal static IEnumerable<WorkerJob> Share(WorkerJob job, int processes)
    {
        int count = Math.Clamp(processes, 1, Math.Max(1, job.Clients));
        for (int i = 0; i < count; i++)
        {
            int first = (int)((long)job.Clients * i / count), end = (int)((long)job.Clients * (i + 1) / count);
            yield return job with { FirstClient = job.FirstClient + first, Clients = end - first, Rate = job.Rate * (end - first) / Math.Max(1, job.Clients) };
        }
    }

    /// <summary>One snapshot of several processes. The moment is the mean of theirs, which lie within a millisecond.</summary>
    internal static WorkerSnapshot Merge(IReadOnlyList<WorkerSnapshot> parts) => parts.Count == 1
        ? parts[0]
        : new WorkerSnapshot
        {
            Ticks = (long)parts.Average(p => (decimal)p.Ticks),
            Messages = parts.Sum(p => p.Messages),
            Acknowledged = parts.Sum(p => p.Acknowledged),
            OutOfOrder = parts.Sum(p => p.OutOfOrder),
            Due = parts.Sum(p => p.Due),
            AllocatedBytes = parts.Sum(p => p.AllocatedBytes),
            Gen2Collections = parts.Sum(p => p.Gen2Collections),
            CpuSeconds = parts.Sum(p => p.CpuSeconds),
            Latency = Merge(parts.Select(p => p.Latency)),
            Delay = Merge(parts.Select(p => p.Delay)),
        };

    private static long[] Merge(IEnumerable<long[]> sparse)
    {
        var all = new LatencyHistogram();
        foreach (long[] one in sparse)
        {
            all.Add(LatencyHistogram.FromSparse(one));
        }

        return all.Count == 0 ? [] : all.ToSparse();
    }

    private async Task<WorkerSnapshot> AllAsync(Func<WorkerProcess, Task<WorkerSnapshot>> ask) => Merge(await Task.WhenAll(_workers.Select(ask)));
}
