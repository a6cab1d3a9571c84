using System.Diagnostics;
using Danube.Fast.Core;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server;

/// <summary>The orderly stop. Its steps are those of docs/operations.md, "Stopping".</summary>
public sealed partial class BrokerHost
{
    private const int PollMs = 10;
    private const int GiveUpMs = 5000;

    // After the last frame the peers have this long to read it.
    private static readonly TimeSpan Goodbye = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Stops without losing anything: no new work, what was received is acknowledged, consumers may acknowledge what they hold
    /// (<see cref="TimeoutOptions.DrainMs"/> at most), then everything is saved and closed. Later calls wait for the first.
    /// </summary>
    /// <param name="reason">For the log.</param>
    public Task DrainAsync(string reason)
    {
        lock (_stopping)
        {
            return _drain ??= DrainOnceAsync(reason);
        }
    }

    private async Task DrainOnceAsync(string reason)
    {
        var watch = Stopwatch.StartNew();
        Log.Draining(_log, reason);
        _state.BeginDraining();
        Task announcing = _cluster?.AnnounceStopAsync() ?? Task.CompletedTask;
        await _listener.StopAsync();
        foreach ((_, Topic topic) in _topics.OpenTopics)
        {
            topic.StopProducers(ErrorCode.Draining, BrokerState.DrainingRefusal.Message);
        }

        await UntilAsync(watch, () => AllAcknowledged() && !_sessions.Sessions.Any(s => s.HasProducers));
        foreach (Subscription subscription in OpenSubscriptions())
        {
            subscription.StopDispatch();
        }

        await UntilAsync(watch, () => InFlight() == 0);
        long inFlight = InFlight();
        await _sessions.CloseAllAsync(ErrorCode.Draining, BrokerState.DrainingRefusal.Message, Goodbye);
        await announcing;
        await GiveUpAsync();
        await CloseAllAsync();
        Log.Stopped(_log, watch.ElapsedMilliseconds, inFlight);
    }

    // Others serve at once what no disk keeps. Without the store its lease has to run out first.
    private async Task GiveUpAsync()
    {
        if (_cluster is { IsProven: true, Owner: { } owner })
        {
            owner.GiveUp();
            await UntilAsync(Stopwatch.StartNew(), () => !owner.HasToGiveUp, GiveUpMs);
        }
    }

    private async Task CloseAllAsync()
    {
        await _stopping.CancelAsync();
        await _housekeeping.WhenStopped();
        await _load.StopAsync();

        // What is exported last is read from topics that are still open.
        _otlp?.Dispose();
        _mirror.Dispose();
        if (_cluster is not null)
        {
            await _cluster.StopLoopsAsync();
        }

        await _topics.CloseAsync();
        if (_metadata is not null)
        {
            await _metadata.DisposeAsync();
        }

        // The clean checkpoint says that nothing has to be looked for at the next start.
        _data.Dispose();
        if (_cluster is not null)
        {
            // Nobody may take a topic while this broker can still write to it: the lease goes last.
            await _cluster.DisposeAsync();
        }

        // What HTTP answers to the last may need the other brokers.
        await _http!.DisposeAsync();
        await _load.DisposeAsync();
    }

    /// <summary>True when every frame that was taken is as safe as its class asks for. A producer is closed once its acknowledgements are queued.</summary>
    private bool AllAcknowledged() => _topics.OpenTopics.All(t => t.Topic.Log.Failure is not null || t.Topic.Log.Visible >= t.Topic.Log.Committed);

    private long InFlight() => OpenSubscriptions().Sum(s => s.InFlight);

    private IEnumerable<Subscription> OpenSubscriptions() => _topics.OpenTopics.SelectMany(t => t.Topic.Subscriptions);

    private Task UntilAsync(Stopwatch watch, Func<bool> done) => UntilAsync(watch, done, _options.Timeouts.DrainMs);

    private static async Task UntilAsync(Stopwatch watch, Func<bool> done, long limitMs)
    {
        while (!done() && watch.ElapsedMilliseconds < limitMs)
        {
            await Task.Delay(PollMs);
        }
    }
}
