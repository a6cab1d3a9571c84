using System.Diagnostics;
using Danube.Fast.Client;

namespace Danube.Fast.Bench.Workers;

/// <summary>Producers of one worker process. The first 8 bytes of a payload are its intended send time in ticks, 0 = not measured.</summary>
internal sealed partial class ProduceWorker(WorkerJob job) : LoadWorker
{
    private readonly List<ProducerLoad> _loads = [];
    private readonly List<Task> _loops = [];
    private readonly List<DanubeClient> _clients = [];
    private readonly FlowGate? _gate = FlowGate.Open(job.FlowFile);
    private double _rate = job.Rate;
    private long _runStart;

    public override async Task OpenAsync()
    {
        for (int i = 0; i < Math.Max(1, job.Connections); i++)
        {
            _clients.Add(await DanubeClient.ConnectAsync(job.Url));
        }

        for (int i = 0; i < job.Clients; i++)
        {
            var load = new ProducerLoad(this, job, i);
            await load.OpenAsync(_clients[i % _clients.Count], job.Topics[(job.FirstClient + i) % job.Topics.Length]);
            _loads.Add(load);
        }
    }

    public override void SetRate(double perSecond) => _rate = perSecond;

    public override void Run()
    {
        base.Run();
        _loops.RemoveAll(t => t.IsCompleted);
        _runStart = Stopwatch.GetTimestamp();
        foreach (ProducerLoad load in _loads)
        {
            _loops.Add(Task.Factory.StartNew(() => GuardAsync(load.LoopAsync), TaskCreationOptions.LongRunning).Unwrap());
        }
    }

    public override async Task PauseAsync()
    {
        await base.PauseAsync();
        await Task.WhenAll(_loops);
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await Task.WhenAll(_loops);
        foreach (ProducerLoad load in _loads)
        {
            await load.DisposeAsync();
        }

        await Task.WhenAll(_clients.Select(c => c.DisposeAsync().AsTask()));
        _gate?.Dispose();
    }

    protected override (long Messages, long Acknowledged, long OutOfOrder) Counts() => (_loads.Sum(l => l.Posted), _loads.Sum(l => l.Acknowledged), 0);

    protected override long DueBy(long ticks) =>
        _rate > 0 && IsRunning ? _loads.Sum(l => l.PostedBefore) + (long)((ticks - _runStart) * _rate / Stopwatch.Frequency) : 0;
}
