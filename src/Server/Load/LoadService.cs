using Danube.Fast.LoadManager;
using Microsoft.Extensions.Logging;

namespace Danube.Fast.Server.Load;

/// <summary>
/// The broker's load manager: measures the broker and its topics, reports that, and keeps the picture of all brokers from their reports. What only the
/// leader shows (gauges, the snapshot in the log) is in LoadService.Leading.cs, the picture of the others in LoadService.Picture.cs.
/// Runs on: one loop, once a second; the machine is read on the sampler's thread. Shared with: HTTP requests, metrics and the leader's loop, which read.
/// </summary>
internal sealed partial class LoadService : IAsyncDisposable
{
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(1);

    private readonly LoadManagerOptions _options;
    private readonly IClusterSource _source;
    private readonly TopicSampler _topics;
    private readonly ResourceSampler _resources;
    private readonly LoadReportBuilder _builder;
    private readonly ReportSchedule _schedule;
    private readonly TimeProvider _clock;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stop = new();
    private readonly Dictionary<long, long> _seen = [];
    private readonly long _startedAt;
    private Task _loop = Task.CompletedTask;
    private long _session = -1;
    private bool _hasMeasured;
    private long _payloadIn;
    private long _payloadAt;

    /// <param name="options">Checked.</param>
    /// <param name="cluster">Board, ranking and placement, by the same options.</param>
    /// <param name="source">The cluster.</param>
    /// <param name="topics">Samples of this broker's topics.</param>
    /// <param name="monitor">The machine; its first reading is taken here.</param>
    /// <param name="figures">What the monitor tells about itself.</param>
    /// <param name="clock">Time.</param>
    /// <param name="log">The part <c>load_manager</c>.</param>
    public LoadService(
        LoadManagerOptions options, ClusterLoad cluster, IClusterSource source, TopicSampler topics, IResourceMonitor monitor, ResourceMonitorFigures figures, TimeProvider clock, ILogger log)
    {
        _options = options;
        _source = source;
        _topics = topics;
        _clock = clock;
        _log = log;
        Figures = figures;
        Cluster = cluster;
        Peers = new PeerCalls(source);
        _resources = new ResourceSampler(monitor, TimeSpan.FromSeconds(options.ResourceSampleSeconds), clock);
        _builder = new LoadReportBuilder(_resources, topics.Take, () => source.AppliedRevision, options, clock);
        _schedule = new ReportSchedule(_builder, new PostingPolicy(options, clock, Random.Shared), options);
        _startedAt = _payloadAt = clock.GetTimestamp();
        _payloadIn = topics.PayloadIn();
        Log.MeasuringLoad(log, monitor.Description);
        WarnOfCapacities();
    }

    /// <summary>Board, ranking and placement. Every broker has the picture; only the leader decides by it.</summary>
    public ClusterLoad Cluster { get; }

    /// <summary>The cluster as this broker sees it.</summary>
    public IClusterSource Source => _source;

    /// <summary>Calls of other brokers.</summary>
    public PeerCalls Peers { get; }

    /// <summary>What the monitors tell about themselves.</summary>
    public ResourceMonitorFigures Figures { get; }

    /// <summary>Reports that the store did not take.</summary>
    public long PostFailures { get; private set; }

    /// <summary>Reports that the store took.</summary>
    public long Posts { get; private set; }

    /// <summary>Begins to measure and to report.</summary>
    public void Start()
    {
        _resources.Start();
        Feed();
        Lead();
        _loop = RunAsync(_stop.Token);
    }

    /// <summary>Stops both. The last report goes with the broker's lease. Calls of other brokers stay possible.</summary>
    public async Task StopAsync()
    {
        if (!_stop.IsCancellationRequested)
        {
            await _stop.CancelAsync();
            await _loop;
            await _asking.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _resources.Dispose();
            _stop.Dispose();
        }
    }

    /// <summary>Stops, and ends the calls of other brokers.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Peers.Dispose();
    }

    /// <summary>What happens once a second.</summary>
    internal async ValueTask StepAsync(CancellationToken cancellationToken)
    {
        await PostAsync(cancellationToken);
        Feed();
        Lead();
    }

    private async Task RunAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(Step, _clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stop))
            {
                try
                {
                    await StepAsync(stop);
                }
                catch (Exception e) when (e is not OperationCanceledException || !stop.IsCancellationRequested)
                {
                    // The broker works without its load manager; the next second tries again.
                    Log.LoadManagerFailed(_log, e);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }
    }

    private async ValueTask PostAsync(CancellationToken cancellationToken)
    {
        // Without any report a broker gets no topics: the first of a session goes out at once, the first one with readings of the machine as soon as there are some.
        long session = _source.Session;
        bool isFirst = session != _session;
        bool hasMeasured = _clock.GetElapsedTime(_startedAt) >= TimeSpan.FromSeconds(_options.ResourceSampleSeconds + 1);
        if (_schedule.Next(_source.Broker, session, ThroughputMbps(), isFirst || hasMeasured != _hasMeasured) is { } report)
        {
            bool posted = await _source.PostAsync(report, cancellationToken) == PostOutcome.Posted;
            Posts += posted ? 1 : 0;
            PostFailures += posted ? 0 : 1;
            (_session, _hasMeasured) = posted ? (session, hasMeasured) : (_session, _hasMeasured);
        }
    }

    // Accepted since the last look, for the decision whether the change is large.
    private double ThroughputMbps()
    {
        long now = _clock.GetTimestamp(), payload = _topics.PayloadIn();
        double seconds = _clock.GetElapsedTime(_payloadAt, now).TotalSeconds;
        double mbps = seconds > 0 ? Math.Max(0, payload - _payloadIn) * 8 / 1e6 / seconds : 0;
        (_payloadIn, _payloadAt) = (payload, now);
        return mbps;
    }

    private void WarnOfCapacities()
    {
        IReadOnlyList<string> missing = _builder.Capacity.With(_options.Capacity, _options.MaxTopics).Missing();
        if (_options.RankingAlgorithm == RankingAlgorithm.Bottleneck && missing.Count > 0)
        {
            Log.CapacityUnknown(_log, string.Join(", ", missing.Select(m => "load_manager.capacity." + m)));
        }
    }
}
