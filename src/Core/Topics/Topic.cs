using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

/// <summary>
/// One topic partition: a log, its producers and its subscriptions. Publishing is in Topic.Publish.cs, acknowledgements in
/// Topic.Acks.cs, subscriptions in Topic.Subscriptions.cs, limits in Topic.Limits.cs, the publish rate in
/// Topic.Pace.cs, what quotas delete in Topic.Space.cs, the owner's proof in Topic.Ownership.cs, latencies in Topic.Latency.cs, opening and closing in Topic.Lifecycle.cs.
/// Runs on: receive loops (publish), the committer (<see cref="ILogObserver"/>), the server's timer (cursors, ticks).
/// Shared with: each other through the log's append lock; dispatchers see only the log.
/// </summary>
public sealed partial class Topic : ILogObserver
{
    private readonly CursorStore _cursors;
    private readonly TimeProvider _time;
    private volatile TopicOptions _options;

    /// <param name="name">The checked name.</param>
    /// <param name="log">The open log; the topic becomes its observer and disposes it on <see cref="Close"/>.</param>
    /// <param name="cursors">Where cursors are kept.</param>
    /// <param name="options">Limits.</param>
    /// <param name="time">Wall clock for append times, monotonic clock for delays.</param>
    public Topic(string name, TopicLog log, CursorStore cursors, TopicOptions options, TimeProvider time)
    {
        Name = name;
        Log = log;
        _options = options;
        _cursors = cursors;
        _time = time;
        _pace = PublishPace.Of(options, time);
        _clock = !options.MeasureLatency ? null : ReferenceEquals(time, TimeProvider.System) ? MetricClock.System : new MetricClock(time);
        log.Observer = this;
        if (log.Failure is { } cause)
        {
            OnFailed(log, cause);
        }
    }

    public string Name { get; }

    public TopicLog Log { get; }

    /// <summary>The limits now: read it once per step, it may be replaced at any moment.</summary>
    public TopicOptions Options => _options;

    public TopicCounters Counters { get; } = new();

    /// <summary>Why publishing and subscribing are refused now; <see cref="ErrorCode.None"/> while the topic is open.</summary>
    public ErrorCode Refusal => _refusal;

    /// <summary>Replaces the limits. Publishers and dispatchers take them up with their next step, quotas with the next tick. Any thread.</summary>
    public void SetOptions(TopicOptions options)
    {
        _options = options;
        ApplyPace(options);
        foreach (Subscription subscription in _active)
        {
            subscription.OnOptions();
        }
    }

    internal CursorStore Cursors => _cursors;

    internal TimeProvider Time => _time;

    internal long NowMicros() => (_time.GetUtcNow().UtcTicks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;
}
