using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using Danube.Fast.LoadManager;
using Danube.Fast.Metadata;
using Microsoft.Extensions.Logging;

namespace Danube.Fast.Server.Cluster;

/// <summary>
/// What the leader does: gives every topic a broker, hands the topics of vanished brokers on, empties draining ones, finishes creations
/// and deletions. Each pass looks at everything that the view shows, so a new leader goes on where the last one stopped. Every write
/// compares the leader's token. Parts by role: Assigning, Releasing, Removing, Writing.
/// Runs on: one loop, idle while this broker does not lead. Shared with: nobody.
/// </summary>
internal sealed partial class LeaderLoop
{
    // A pass comes after every change of the view and at least this often: absences and requests run out without one.
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(20);

    private readonly ClusterNode _node;
    private readonly ClusterCatalog _catalog;
    private readonly ILogger _log;
    private readonly LeaderPlacement _placement;
    private readonly MemberAbsence _absence;
    private readonly MetadataCompactor? _compactor;
    private readonly SemaphoreSlim _wake = new(0, 1);
    private readonly ConcurrentQueue<string> _changed = new();
    private TimeSpan _waited;
    private long _token;
    private long _compacted;

    /// <param name="node">This broker; its view must not be open yet.</param>
    /// <param name="catalog">Finishes what others began.</param>
    /// <param name="load">Chooses brokers.</param>
    /// <param name="compacts">Whether the store is compacted.</param>
    /// <param name="log">Category of the broker.</param>
    public LeaderLoop(ClusterNode node, ClusterCatalog catalog, ClusterLoad load, bool compacts, ILogger log)
    {
        _node = node;
        _catalog = catalog;
        _log = log;
        _placement = new LeaderPlacement(node.View, load, definition => node.RequirementsOf(definition));
        _absence = new MemberAbsence(node.Clock);
        _requests = new ReleaseRequests(node.Clock);
        _compactor = compacts ? new MetadataCompactor(node.Store, TimeProvider.System) : null;
        node.View.Revised += OnRevised;
    }

    private ClusterView View => _node.View;

    /// <summary>Leads whenever this broker is elected, until the token ends it.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await _wake.WaitAsync(LookInterval, cancellationToken);
            long began = TimeProvider.System.GetTimestamp();
            _waited = TimeSpan.Zero;
            try
            {
                await LookAsync(cancellationToken);
            }
            catch (IOException e)
            {
                Log.LeaderWaits(_log, e.Message);
                await Task.Delay(LookInterval, cancellationToken);
            }

            // Changes that come together are looked at together; a large cluster's passes leave the processor to others. Waiting for the store takes none of it.
            TimeSpan pause = (TimeProvider.System.GetElapsedTime(began) - _waited) * 4;
            await Task.Delay(pause > ShortestPause ? Min(pause, LookInterval) : ShortestPause, cancellationToken);
        }
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private void OnRevised(MetadataRevision revision)
    {
        if (_node.IsLeader)
        {
            foreach (MetadataChange change in revision.Changes.Where(c => c.Key.StartsWith(ClusterKeys.Assignments, StringComparison.Ordinal)))
            {
                _changed.Enqueue(change.Key[(ClusterKeys.Assignments.Length - 1)..]);
            }
        }

        if (_wake.CurrentCount == 0)
        {
            try
            {
                _wake.Release();
            }
            catch (SemaphoreFullException)
            {
                // Somebody else was quicker: the loop is awake.
            }
        }
    }

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        long token = _node.Election.Token;
        if (token != _token)
        {
            await BeginAsync(token, cancellationToken);
        }

        // What the view shows decides: a broker that only believes that it leads would compare in vain.
        if (token == 0 || View.Leader?.Token != token)
        {
            return;
        }

        while (_changed.TryDequeue(out string? topic))
        {
            _placement.Observe(topic);
        }

        if (await ResignWhenDrainingAsync(cancellationToken))
        {
            return;
        }

        var pass = new LeaderPass(View, token);
        _absence.Observe(pass.OwningSessions, pass.PresentSessions);
        await StepAsync([ReleaseAsync, RemoveAsync, AssignAsync, DeclareDrainedAsync, (_, stop) => CompactAsync(stop)], pass, cancellationToken);
    }

    // A step that fails for ever must not hold up the others; the loop begins again with what went wrong first.
    private static async Task StepAsync(Func<LeaderPass, CancellationToken, Task>[] steps, LeaderPass pass, CancellationToken cancellationToken)
    {
        ExceptionDispatchInfo? first = null;
        foreach (Func<LeaderPass, CancellationToken, Task> step in steps)
        {
            try
            {
                await step(pass, cancellationToken);
            }
            catch (Exception e) when (e is not (IOException or OperationCanceledException))
            {
                first ??= ExceptionDispatchInfo.Capture(e);
            }
        }

        first?.Throw();
    }

    private async Task BeginAsync(long token, CancellationToken cancellationToken)
    {
        _absence.Reset();
        _requests.Clear();
        if (token == 0)
        {
            _token = 0;
            _node.LeadsSince = null;
            _placement.Forget();
            Log.LeadsNoMore(_log, _node.Broker);
            return;
        }

        _changed.Clear();
        await View.WaitForAsync(token, cancellationToken);
        _placement.Rebuild();

        // Last: when the store goes away before that, this is done again.
        _token = token;
        _node.LeadsSince = TimeProvider.System.GetUtcNow();
        Log.Leads(_log, _node.Broker, token);
    }

    // Somebody who is to stay should lead.
    private async Task<bool> ResignWhenDrainingAsync(CancellationToken cancellationToken)
    {
        if (_node.MayLead)
        {
            return false;
        }

        await _node.Election.ResignAsync(cancellationToken);
        return true;
    }

    private async Task CompactAsync(CancellationToken cancellationToken)
    {
        if (_compactor is not null && (_compacted == 0 || TimeProvider.System.GetElapsedTime(_compacted) >= MetadataCompactor.Interval))
        {
            _compacted = TimeProvider.System.GetTimestamp();
            await _compactor.StepAsync(cancellationToken);
        }
    }
}
