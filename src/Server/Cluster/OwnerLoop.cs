using System.Collections.Concurrent;
using System.Threading.Channels;
using Danube.Fast.Metadata;
using Microsoft.Extensions.Logging;

namespace Danube.Fast.Server.Cluster;

/// <summary>
/// Serves the topics that the assignments give to this broker, and stops serving the others. What it may do with one topic is said by
/// <see cref="TopicOwnership"/>; this loop looks at what has changed, has logs opened and closed in the background, and writes what follows
/// in batches. Parts by role: Deciding, Writing, Leaving.
/// Runs on: one loop (<see cref="RunAsync"/>). Shared with: whoever changes something, through <see cref="_changed"/>.
/// </summary>
internal sealed partial class OwnerLoop : IOwnerLoop
{
    private const int OpenAtOnce = 8;
    private const int CloseAtOnce = 32;
    private const int MaxAttempts = 5;
    private static readonly TimeSpan FullPass = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan OpenAgainAfter = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromMilliseconds(250);

    private readonly IMetadataStore _store;
    private readonly ClusterView _view;
    private readonly Membership _membership;
    private readonly IOwnerActions _actions;
    private readonly TimeProvider _clock;
    private readonly ILogger _log;
    private readonly int _me;
    private readonly ConcurrentDictionary<string, OwnedTopic> _owned = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<(string Topic, long Revision)> _changed = new();
    private readonly ConcurrentQueue<(OwnedTopic Topic, Action Result)> _done = new();
    private readonly ConcurrentDictionary<string, uint> _doubted = new(StringComparer.Ordinal);
    private readonly Channel<bool> _pulse = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly SemaphoreSlim _openings = new(OpenAtOnce);
    private readonly SemaphoreSlim _closings = new(CloseAtOnce);
    private readonly HashSet<OwnedTopic> _toWrite = [];
    private readonly HashSet<OwnedTopic> _toRetry = [];
    private bool _hasParked;
    private long _lastFullPass;
    private long _seenSession;
    private int _seenSetbacks;

    /// <summary>Listens to the view: to be made before that is opened.</summary>
    public OwnerLoop(IMetadataStore store, ClusterView view, Membership membership, IOwnerActions actions, TimeProvider clock, ILogger log)
    {
        _store = store;
        _view = view;
        _membership = membership;
        _actions = actions;
        _clock = clock;
        _log = log;
        _me = membership.Broker;
        view.Revised += OnRevised;
    }

    /// <summary>The topics this broker has to do with now: how far it is with each, and why one could not be opened.</summary>
    public IEnumerable<(string Topic, OwnerPhase Phase, string? Failure)> Topics => _owned.Values.Select(o => (o.Name, o.Phase, o.Failure));

    /// <summary>Why a topic could not be opened the last time; null when it could, or was not tried.</summary>
    public string? FailureOf(string topic) => _owned.TryGetValue(topic, out OwnedTopic? owned) ? owned.Failure : null;

    /// <inheritdoc/>
    public void OnSession(long session) => _pulse.Writer.TryWrite(true);

    /// <summary>Somebody has seen a higher epoch of a topic than this broker serves it with: the store is asked whose it is.</summary>
    /// <returns>True when it was asked after somebody had claimed this epoch, and said that the topic is this broker's with a lower one.</returns>
    public bool Doubt(string topic, uint epoch)
    {
        if (!_owned.TryGetValue(topic, out OwnedTopic? owned))
        {
            return false;
        }

        if (epoch <= owned.DeniedEpoch)
        {
            return true;
        }

        _doubted.AddOrUpdate(topic, epoch, (_, before) => Math.Max(before, epoch));
        _pulse.Writer.TryWrite(true);
        return false;
    }

    /// <inheritdoc/>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (!_hasParked)
        {
            _actions.ParkForeign();
            _hasParked = true;
        }

        while (true)
        {
            while (_done.TryDequeue(out (OwnedTopic Topic, Action Result) done))
            {
                done.Result();
                Decide(done.Topic);
            }

            await AskAboutDoubtedAsync(cancellationToken);
            LookAtChanges();
            TryAgain();
            if (await WriteAsync(cancellationToken))
            {
                continue;
            }

            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            patience.CancelAfter(LookAgainAfter);
            try
            {
                await _pulse.Reader.ReadAsync(patience.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                // Time to look whether something is due.
            }
        }
    }

    private void OnRevised(MetadataRevision revision)
    {
        foreach (MetadataChange change in revision.Changes)
        {
            if (ClusterKeys.TopicOfAssignment(change.Key) is { } assigned)
            {
                _changed.Enqueue((assigned, revision.Revision));
            }
            else if (ClusterKeys.TopicOfTopic(change.Key) is { } topic)
            {
                _changed.Enqueue((topic, 0));
            }
        }

        _pulse.Writer.TryWrite(true);
    }

    private void LookAtChanges()
    {
        while (_changed.TryDequeue(out (string Topic, long Revision) change))
        {
            if (_owned.TryGetValue(change.Topic, out OwnedTopic? owned))
            {
                owned.RetryAt = 0;
            }

            Look(change.Topic, change.Revision);
        }

        // After what was told of the state that is lost.
        int setbacks = _membership.Setbacks;
        bool isAnotherState = setbacks != _seenSetbacks;
        foreach (OwnedTopic owned in isAnotherState ? _owned.Values : [])
        {
            owned.Rights.Forget();
        }

        long session = _membership.Session;
        if (isAnotherState || session != _seenSession || Interlocked.Exchange(ref _looksAtAll, 0) != 0 || _clock.GetElapsedTime(_lastFullPass) >= FullPass)
        {
            _seenSetbacks = setbacks;
            _seenSession = session;
            _lastFullPass = _clock.GetTimestamp();
            foreach (string topic in _view.Assignments.Where(a => a.A.Owner == _me).Select(a => a.Topic).Union(_owned.Keys).ToArray())
            {
                Look(topic, 0);
            }
        }
    }

    private void TryAgain()
    {
        foreach (OwnedTopic topic in _toRetry.Where(t => t.Phase != OwnerPhase.Idle || IsDue(t.RetryAt)).ToArray())
        {
            _toRetry.Remove(topic);
            Decide(topic);
        }
    }

    // The revision is read before the entry: what is absent then is absent as of it, or of a later one.
    private void Look(string topic, long revision)
    {
        long asOf = Math.Max(revision, _view.Revision);
        bool isThere = _view.TryGetAssignment(topic, out MetadataEntry? entry, out Assignment? assignment);
        if (!_owned.TryGetValue(topic, out OwnedTopic? owned))
        {
            if (!isThere || assignment!.Owner != _me)
            {
                return;
            }

            _owned[topic] = owned = new OwnedTopic(topic, _me);
        }

        owned.Rights.Observe(entry, asOf);
        Decide(owned);
    }

    private async Task AskAboutDoubtedAsync(CancellationToken cancellationToken)
    {
        // Those that are there now: what comes in meanwhile waits for the next round, so that nobody holds the loop here.
        foreach (string topic in _doubted.Keys)
        {
            if (_doubted.TryRemove(topic, out uint claimed) && _owned.TryGetValue(topic, out OwnedTopic? owned))
            {
                await ReadAsync(owned, cancellationToken);
                if (owned.Phase == OwnerPhase.Serving && owned.Rights.Serves(owned.Session) && owned.Rights.Known!.Epoch == owned.Epoch && owned.Epoch < claimed)
                {
                    owned.DeniedEpoch = claimed;
                }

                Decide(owned);
            }
        }
    }

    private bool IsDue(long moment) => moment == 0 || _clock.GetTimestamp() >= moment;

    private long In(TimeSpan time) => _clock.GetTimestamp() + (long)(time.TotalSeconds * _clock.TimestampFrequency);
}
