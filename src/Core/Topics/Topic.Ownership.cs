using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

// A topic that several brokers could serve: nothing is acknowledged and nothing new is seen unless this broker can prove that it is the owner. Who
// finds that it cannot leaves a mark and looks once more; who brings a proof takes the mark away and then goes on for him: one of the two sees the other.
public sealed partial class Topic
{
    /// <summary>How long publishes and acknowledgements wait for the owner's proof before they are refused, milliseconds.</summary>
    public const long UnprovenPatienceMs = 10_000;

    private const int ProofPollMs = 50;

    private volatile bool _isHeld;
    private volatile bool _refusesUnproven;
    private long _unprovenSinceMs = -1;

    /// <summary>Something waits for the owner's proof.</summary>
    public bool IsHeld => _isHeld;

    /// <summary>The owner could not prove itself for so long that publishes are refused.</summary>
    public bool RefusesUnproven => _refusesUnproven;

    /// <summary>
    /// This broker serves the topic from now on, under this epoch. Once, before the first producer or consumer comes.
    /// </summary>
    public void BeginEpoch(uint epoch)
    {
        lock (Log.AppendLock)
        {
            Log.TopicEpoch = epoch;
        }

        if (Log.Durability == DurabilityClass.Memory)
        {
            foreach (Subscription subscription in _active)
            {
                subscription.BeginAt(FirstEpoch);
            }
        }
    }

    /// <summary>
    /// The owner has proved itself (again): acknowledgements that waited leave, consumers see what is new. Costs one read when nothing waits.
    /// Runs on: the loop that proves.
    /// </summary>
    public void OnProven()
    {
        if (!_isHeld)
        {
            return;
        }

        _isHeld = false;
        Interlocked.MemoryBarrier();
        _refusesUnproven = false;
        DrainAcks();
        WakeSubscriptions();
        foreach (Subscription subscription in _active)
        {
            subscription.OnProven();
        }
    }

    /// <summary>Goes on when something waits and the owner can prove itself (again). Cheap: to be called often, by one timer.</summary>
    public void PollProof()
    {
        if (_isHeld && Log.Gate is { MayAcknowledge: true })
        {
            OnProven();
        }
    }

    /// <summary>Completes with true when acknowledgements count, with false when they did not for <see cref="UnprovenPatienceMs"/>.</summary>
    public async ValueTask<bool> WhenProvenAsync()
    {
        long begun = _time.GetTimestamp();
        while (!MayAcknowledge())
        {
            if (_time.GetElapsedTime(begun).TotalMilliseconds >= UnprovenPatienceMs)
            {
                return false;
            }

            await Task.Delay(ProofPollMs).ConfigureAwait(false);
        }

        return true;
    }

    /// <summary>True when acknowledgements count now; false leaves the mark that has <see cref="OnProven"/> go on.</summary>
    internal bool MayAcknowledge() => TryProve(out _);

    /// <summary>What another broker may have taken over meanwhile is not delivered without proof; what only this one can have goes on.</summary>
    internal bool MayDeliver() =>
        Log.Gate is null || TryProve(out _) || IsOnlyHere; // The proof first: without it a mark is left, and whoever brings one wakes us.

    // Nobody else has the bytes.
    private bool IsOnlyHere => Log.Durability is DurabilityClass.Os or DurabilityClass.Fsync;

    private bool TryProve(out long visible)
    {
        if (Log.TryProve(out visible))
        {
            return true;
        }

        _isHeld = true;
        Interlocked.MemoryBarrier();
        return Log.TryProve(out visible);
    }

    // Once a second.
    private void CheckOwnership(long nowMs)
    {
        if (Log.Gate is not { } gate)
        {
            return;
        }

        if (gate.MayAcknowledge)
        {
            _unprovenSinceMs = -1;
            _refusesUnproven = false;
            OnProven();
        }
        else if (_unprovenSinceMs < 0)
        {
            _unprovenSinceMs = nowMs;
        }
        else if (nowMs - _unprovenSinceMs >= UnprovenPatienceMs)
        {
            RefuseUnproven();
        }
    }

    // Frames that are stored stay stored: whoever sends them again to the owner, this broker or another, gets its answer there. What another broker may
    // serve by now is left by everybody, also by those who wait for nothing: they would wait here for ever.
    private void RefuseUnproven()
    {
        bool mayBeElsewhere = !IsOnlyHere;
        string text = $"This broker cannot prove that it owns topic {Name}: look the topic up again in a moment.";
        _refusesUnproven = true;
        _isHeld = true;
        List<Producer> waiting = [];
        lock (Log.AppendLock)
        {
            foreach (Producer producer in _producers.Values)
            {
                if (mayBeElsewhere || producer.UnacknowledgedBytes > 0)
                {
                    producer.Refuse(ErrorCode.OwnerUnproven, text);
                    waiting.Add(producer);
                }
            }

            waiting.ForEach(p => _producers.Remove(p.Id));
        }

        waiting.ForEach(p => p.SendClose());
        foreach (Subscription subscription in _active)
        {
            subscription.RefuseUnproven(text, mayBeElsewhere);
        }
    }
}
