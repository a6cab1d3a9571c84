using System.Text;
using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

public sealed partial class Subscription
{
    // False until the epoch was raised in this process: acknowledgements that clients kept from before must not count.
    private bool _epochRaised;

    /// <summary>
    /// Adds a consumer. Exclusive: another name is refused with subscription_busy; the same name takes over, the former channel is
    /// closed with fenced, and delivery starts again from mark-delete in a new epoch, once that is durable. Failover: a former
    /// consumer of the same name is replaced likewise, others stand by behind the active one (<see cref="Elect"/>).
    /// </summary>
    /// <param name="consumerName">Not empty.</param>
    /// <param name="priority">See <see cref="Consumer.Priority"/>.</param>
    /// <param name="channel">Handle on the connection.</param>
    /// <param name="sink">Takes delivers. It must not call back into the engine from its methods.</param>
    /// <param name="consumer">The consumer when the answer is None.</param>
    /// <param name="message">A sentence for the error frame otherwise.</param>
    public ErrorCode AddConsumer(string consumerName, int priority, uint channel, IFrameSink sink, out Consumer? consumer, out string message)
    {
        consumer = null;
        Consumer? former;
        uint? raised = null;
        lock (Gate)
        {
            if (_closedWith != ErrorCode.None)
            {
                message = _closedText;
                return _closedWith;
            }

            former = IsOrdered ? _consumers.Find(c => c.Name == consumerName) : null;
            if (Type == SubscriptionType.Exclusive && _consumers.Count > 0 && former is null)
            {
                message = $"Subscription {Name} is exclusive and consumer {_consumers[0].Name} is connected; wait until it is gone, or use the same consumer name to take over.";
                return ErrorCode.SubscriptionBusy;
            }

            if (former is not null)
            {
                Leave(former);
            }

            consumer = new Consumer(this, consumerName, priority, channel, sink, SaltOf(consumerName)) { IsAttached = true, IsActive = !IsOrdered };
            _consumers.Add(consumer);
            _dispatcher.OnConsumersChanged();
            if (Elect() | !_epochRaised)
            {
                raised = StartEpoch();
            }
        }

        former?.Sink.CloseChannel(former.Channel, ErrorCode.Fenced, $"Consumer {consumerName} was opened on another channel, which has taken over.");
        FinishTakeover(raised);

        message = "";
        return ErrorCode.None;
    }

    internal void Detach(Consumer consumer)
    {
        uint? raised = null;
        lock (Gate)
        {
            if (consumer.IsAttached)
            {
                Leave(consumer);
                raised = TakeOver();
            }
        }

        FinishTakeover(raised);

        if (IsReader)
        {
            Topic.RemoveReader(this);
        }

        _dispatcher.Schedule();
    }

    /// <summary>The log cannot be read any more.</summary>
    internal void OnReadFailed() =>
        CloseConsumers(ErrorCode.LogFailed, $"The log of topic {Topic.Name} cannot be read: {Topic.Log.Failure?.Message ?? "the broker's log names the file and the cause (event 25)."}");

    /// <summary>Something has thrown that should not: the consumers are closed, and a new one starts afresh.</summary>
    internal void OnDispatchFailed(Exception error)
    {
        lock (Gate)
        {
            // The step it broke off in may have been half done: the next consumer starts an epoch, from mark-delete.
            _epochRaised = false;
            CloseConsumers(ErrorCode.Internal, $"Delivery to subscription {Name} has failed; reconnect: {error.Message}");
        }
    }

    // Under the lock. A sink's methods queue and return, so calling them here holds nobody up.
    private void CloseConsumers(ErrorCode code, string text)
    {
        while (_consumers.Count > 0)
        {
            Consumer consumer = _consumers[^1];
            Leave(consumer);
            consumer.Sink.CloseChannel(consumer.Channel, code, text);
        }
    }

    // Consumers have left: on an ordered subscription one that stood by is next.
    private uint? TakeOver() => Elect() ? StartEpoch() : null;

    private void FinishTakeover(uint? raised)
    {
        if (raised is { } epoch)
        {
            _ = FinishEpochAsync(epoch);
        }
    }

    /// <summary>
    /// Chooses the active consumer of an ordered subscription: the oldest of those with the highest priority. A former one that is
    /// still there stands by; what it held is delivered to the new one.
    /// </summary>
    /// <returns>True when another consumer is active now: the caller starts an epoch.</returns>
    private bool Elect()
    {
        if (!IsOrdered || _consumers.Count == 0)
        {
            return false;
        }

        Consumer best = _consumers[0];
        foreach (Consumer consumer in _consumers)
        {
            best = consumer.Priority > best.Priority ? consumer : best;
        }

        if (best.IsActive)
        {
            return false;
        }

        foreach (Consumer consumer in _consumers)
        {
            if (consumer.IsActive)
            {
                consumer.IsActive = false;
                TakeBackAll(consumer);
            }
        }

        best.IsActive = true;
        return true;
    }

    /// <summary>Takes a consumer out: what it has taken and not acknowledged counts as one delivery more, and all it holds goes back.</summary>
    private void Leave(Consumer consumer)
    {
        consumer.IsAttached = false;
        consumer.IsActive = false;
        _consumers.Remove(consumer);
        _dispatcher.OnConsumersChanged();
        TakeBackAll(consumer);
    }

    // The same name gets the same keys again after a reconnect; names may be in use more than once.
    private ulong SaltOf(string name)
    {
        ulong salt = KeyHash.Mix(KeyHash.Compute(Encoding.UTF8.GetBytes(name)));
        while (_consumers.Exists(c => c.Salt == salt))
        {
            salt = KeyHash.Mix(salt + 1);
        }

        return salt;
    }

    /// <summary>Raises the epoch and goes back to mark-delete; sending is held until <see cref="FinishEpochAsync"/> is through.</summary>
    private uint StartEpoch()
    {
        _epochRaised = true;
        Cursor.Epoch++;
        Cursor.IsDirty = true;
        _dispatcher.Restart();
        _dispatcher.Hold();
        foreach (Consumer consumer in _consumers)
        {
            consumer.Sink.OnEpochRaised();
        }

        return Cursor.Epoch;
    }

    private async Task FinishEpochAsync(uint epoch)
    {
        try
        {
            await SaveDurableAsync().ConfigureAwait(false);
        }
        catch (Exception error)
        {
            OnEpochNotSaved(epoch, error);
        }

        ReleaseDispatcher();
    }

    /// <summary>
    /// An epoch that may be forgotten by a crash must not be delivered in: all consumers are closed, so that the next one raises it
    /// again. Nothing to do when a later epoch has begun: that one holds the dispatcher itself.
    /// </summary>
    private void OnEpochNotSaved(uint epoch, Exception error)
    {
        lock (Gate)
        {
            if (epoch == Cursor.Epoch)
            {
                _epochRaised = false;
                CloseConsumers(ErrorCode.Unavailable, $"The cursor of subscription {Name} could not be saved; try again later: {error.Message}");
            }
        }
    }

    private void ReleaseDispatcher()
    {
        lock (Gate)
        {
            _dispatcher.Release();
        }
    }
}
