using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

public sealed partial class Subscription
{
    // False until the epoch was raised in this process: acknowledgements that clients kept from before must not count.
    private bool _epochRaised;

    /// <summary>
    /// Adds a consumer. Exclusive: another name is refused with subscription_busy; the same name takes over, the former channel is
    /// closed with fenced, and delivery starts again from mark-delete in a new epoch, once that is durable.
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
        Consumer? former = null;
        bool restart;
        lock (Gate)
        {
            if (_closedWith != ErrorCode.None)
            {
                message = _closedText;
                return _closedWith;
            }

            if (!SubscriptionTypes.IsSupported(Type))
            {
                message = UnsupportedText(Type);
                return ErrorCode.BadRequest;
            }

            if (IsOrdered && _consumers.Count > 0)
            {
                former = _consumers[0];
                if (former.Name != consumerName)
                {
                    message = $"Subscription {Name} is exclusive and consumer {former.Name} is connected; wait until it is gone, or use the same consumer name to take over.";
                    return ErrorCode.SubscriptionBusy;
                }

                Leave(former);
            }

            consumer = new Consumer(this, consumerName, priority, channel, sink) { IsAttached = true };
            restart = IsOrdered || !_epochRaised;
            if (restart)
            {
                StartEpoch();
            }

            _consumers.Add(consumer);
        }

        former?.Sink.CloseChannel(former.Channel, ErrorCode.Fenced, $"Consumer {consumerName} was opened on another channel, which has taken over.");
        if (restart)
        {
            _ = FinishEpochAsync(consumer);
        }

        message = "";
        return ErrorCode.None;
    }

    internal void Detach(Consumer consumer)
    {
        lock (Gate)
        {
            if (consumer.IsAttached)
            {
                Leave(consumer);
            }
        }

        _dispatcher.Schedule();
    }

    /// <summary>The log cannot be read any more.</summary>
    internal void OnReadFailed() =>
        CloseConsumers(ErrorCode.LogFailed, $"The log of topic {Topic.Name} cannot be read: {Topic.Log.Failure?.Message ?? "it is closed"}");

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

    /// <summary>Takes a consumer out: what it has taken and not acknowledged counts as one delivery more, and all it holds goes back.</summary>
    private void Leave(Consumer consumer)
    {
        consumer.IsAttached = false;
        _consumers.Remove(consumer);
        for (int i = 0; i < consumer.InFlight.Count; i++)
        {
            InFlightRange range = consumer.InFlight[i];
            RaiseRedeliveries(range.First, range.TakenEnd(consumer.RecordsTaken));

            // An ordered subscription reads on from mark-delete when the next one comes.
            if (!IsOrdered)
            {
                _dispatcher.Requeue(range.First, range.End, 0);
            }
        }

        consumer.InFlight.Clear();
    }

    private void RaiseRedeliveries(long first, long end)
    {
        for (long at = Cursor.NextUnacknowledged(first); at < end; at = Cursor.NextUnacknowledged(at))
        {
            long to = Cursor.NextAcknowledged(at, end);
            Cursor.Redeliveries.Raise(at, to);
            Cursor.IsDirty = true;
            at = to;
        }
    }

    /// <summary>Raises the epoch and goes back to mark-delete; sending is held until <see cref="Dispatcher.Release"/>.</summary>
    private void StartEpoch()
    {
        _epochRaised = true;
        Cursor.Epoch++;
        Cursor.IsDirty = true;
        _dispatcher.Restart();
        _dispatcher.Hold();
    }

    private async Task FinishEpochAsync(Consumer consumer)
    {
        try
        {
            await SaveDurableAsync().ConfigureAwait(false);
        }
        catch (Exception error)
        {
            lock (Gate)
            {
                if (consumer.IsAttached)
                {
                    Leave(consumer);
                }
            }

            consumer.Sink.CloseChannel(consumer.Channel, ErrorCode.Unavailable, $"The cursor of subscription {Name} could not be saved; try again later: {error.Message}");
        }

        ReleaseDispatcher();
    }

    private void ReleaseDispatcher()
    {
        lock (Gate)
        {
            _dispatcher.Release();
        }
    }
}
