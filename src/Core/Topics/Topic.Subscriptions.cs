using System.Diagnostics.CodeAnalysis;
using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

public sealed partial class Topic
{
    private readonly SemaphoreSlim _subscriptionGate = new(1, 1);
    private readonly Lock _activeLock = new();

    // Walked on every watermark move. Replaced under the lock, never changed.
    private volatile Subscription[] _active = [];

    // Of subscriptions that are gone; changed under the lock together with the list.
    private SubscriptionTotals _formerReaders = SubscriptionTotals.None, _former = SubscriptionTotals.None;

    /// <summary>All subscriptions, a snapshot.</summary>
    public IReadOnlyCollection<Subscription> Subscriptions => _active;

    /// <summary>For sums over subscriptions that never fall.</summary>
    public SubscriptionCensus CountSubscriptions()
    {
        lock (_activeLock)
        {
            return new SubscriptionCensus(_active, _formerReaders, _former);
        }
    }

    public bool TryGetSubscription(string name, [NotNullWhen(true)] out Subscription? subscription)
    {
        subscription = Array.Find(_active, s => s.Name == name);
        return subscription is not null;
    }

    /// <summary>
    /// Opens a subscription, or creates it: its start is resolved to an offset and its cursor is durable before this returns.
    /// An existing one is returned as it is: compare <see cref="Subscription.Type"/>.
    /// </summary>
    /// <exception cref="InvalidDataException">The saved cursor cannot be read.</exception>
    /// <exception cref="ObjectDisposedException">The topic is closed.</exception>
    public async ValueTask<Subscription> OpenSubscriptionAsync(SubscriptionSpec spec, CancellationToken cancellation)
    {
        if (TryGetSubscription(spec.Name, out Subscription? known))
        {
            if (spec.Rules is { } rules && known.Type == spec.Type)
            {
                known.SetRules(rules);
            }

            return known;
        }

        await _subscriptionGate.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(_closed != 0, this);
            if (!TryGetSubscription(spec.Name, out known))
            {
                known = await LoadOrCreateAsync(spec).ConfigureAwait(false);
                lock (_activeLock)
                {
                    _active = [.. _active, known];
                }
            }

            return known;
        }
        finally
        {
            _subscriptionGate.Release();
        }
    }

    /// <summary>Deletes a subscription with its cursor; its consumers' channels are closed. False when there is none.</summary>
    public async ValueTask<bool> RemoveSubscriptionAsync(string name)
    {
        await _subscriptionGate.WaitAsync().ConfigureAwait(false);
        try
        {
            if (!TryGetSubscription(name, out Subscription? subscription))
            {
                return false;
            }

            try
            {
                subscription.Remove();
            }
            finally
            {
                Forget(subscription);
            }

            return true;
        }
        finally
        {
            _subscriptionGate.Release();
        }
    }

    /// <summary>A reader's consumer has gone. Idempotent.</summary>
    internal void RemoveReader(Subscription reader)
    {
        reader.Close(ErrorCode.SubscriptionNotFound, "The reader has ended.");
        Forget(reader);
    }

    // It is closed, so that it counts nothing any more.
    private void Forget(Subscription subscription)
    {
        lock (_activeLock)
        {
            Subscription[] others = Array.FindAll(_active, s => !ReferenceEquals(s, subscription));
            if (others.Length == _active.Length)
            {
                return;
            }

            _active = others;
            ref SubscriptionTotals former = ref subscription.IsReader ? ref _formerReaders : ref _former;
            former = former.Plus(subscription);
        }
    }

    /// <summary>The offset a start position means now, within [log start, committed].</summary>
    internal async ValueTask<long> ResolveAsync(StartPosition start)
    {
        long offset = start.Kind switch
        {
            StartKind.Earliest => Log.LogStart,
            StartKind.Latest => Log.Committed,
            StartKind.Offset => start.Value,
            _ => await Log.FindOffsetAsync(start.Value).ConfigureAwait(false),
        };
        long first = Log.LogStart;
        return Math.Clamp(offset, first, Math.Max(first, Log.Committed));
    }

    private async ValueTask<Subscription> LoadOrCreateAsync(SubscriptionSpec spec)
    {
        byte[]? state = spec.IsReader ? null : _cursors.Load(Log.TopicId, spec.Name);
        if (state is not null)
        {
            if (!CursorCodec.TryRead(state, out Cursor? cursor, out SubscriptionType type))
            {
                throw new InvalidDataException($"The saved cursor of subscription {spec.Name} on topic {Name} is of a format that this version does not read.");
            }

            // A memory topic starts again at offset 0 with every process: a cursor of another generation says nothing about it.
            if (Log.Durability != DurabilityClass.Memory || cursor.Generation == CurrentGeneration())
            {
                long first = Log.LogStart;
                Counters.OnCursorRecordsDropped(cursor.Clamp(first, Math.Max(first, Log.Committed), out long lost));
                if (lost > 0)
                {
                    Counters.OnLostToRetention(lost);
                }

                var saved = new Subscription(this, spec.Name, type, cursor);
                saved.SetRules(spec.Rules ?? saved.Rules);
                Starts.Count(StartKind.Offset);
                return saved;
            }
        }

        long start = await ResolveAsync(spec.Start).ConfigureAwait(false);
        var subscription = new Subscription(this, spec.Name, spec.Type, new Cursor(start) { Epoch = FirstEpoch }) { IsReader = spec.IsReader };
        subscription.SetRules(spec.Rules ?? subscription.Rules);
        Starts.Count(spec.Start.Kind);
        await subscription.SaveDurableAsync().ConfigureAwait(false);
        return subscription;
    }

    // An owner that starts a subscription anew must not repeat an epoch that a client knows from an earlier one. Clients drop what has a lower one:
    // after 65,535 openings it may repeat, but never fall.
    private uint FirstEpoch => (uint)Math.Min((ulong)Log.TopicEpoch << 16, 0xFFFF_0000);

    internal uint CurrentGeneration()
    {
        lock (Log.AppendLock)
        {
            return Log.Generation;
        }
    }
}
