using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

// How long a subscription has had no consumer, and the end of those that had none for too long. Runs on: the server's timer.
public sealed partial class Subscription
{
    private long _idleSinceMs = -1;
    private volatile bool _isExpired;

    /// <summary>A reader's: never saved, ends with its consumer, holds nothing back.</summary>
    public bool IsReader { get; init; }

    /// <summary>It had no consumer for as long as the policy allows. It takes none any more and waits for <see cref="Topic.RemoveSubscriptionAsync"/>.</summary>
    public bool IsExpired => _isExpired;

    /// <summary>Ends a reader that has no consumer to end it.</summary>
    public void EndReader() => Topic.RemoveReader(this);

    /// <summary>The topic has got other limits.</summary>
    internal void OnOptions() => _dispatcher.Schedule();

    /// <summary>Notes whether a consumer is connected; returns the milliseconds since there was one, counted from the first call.</summary>
    internal long NoteIdle(long nowMs)
    {
        lock (Gate)
        {
            _idleSinceMs = _consumers.Count > 0 ? -1 : _idleSinceMs < 0 ? nowMs : _idleSinceMs;
            return _idleSinceMs < 0 ? 0 : nowMs - _idleSinceMs;
        }
    }

    /// <summary>Ends the subscription unless a consumer has come.</summary>
    internal void Expire(long afterMs)
    {
        lock (Gate)
        {
            if (_consumers.Count == 0 && _closedWith == ErrorCode.None)
            {
                Close(ErrorCode.SubscriptionNotFound, $"Subscription {Name} had no consumer for {afterMs} ms (subscription_expiry_ms) and was deleted: subscribe again to begin a new one.");
                _isExpired = true;
            }
        }
    }
}
