using Danube.Fast.Protocol;

namespace Danube.Fast.Client;

/// <summary>After a loss: connect again with growing pauses, open every channel again, give up when that was asked for.</summary>
internal sealed partial class BrokerLink
{
    private int _restoring;
    private Backoff _pauses;
    private long _openedAt;

    /// <summary>Opens a channel again on the connection it lost it on, after a short pause. Its frames in the network are behind it then.</summary>
    public void Reopen(BrokerChannel channel, Connection connection, bool pause) => _ = ReopenAsync(channel, connection, TimeSpan.Zero, pause);

    /// <summary>The same after a pause of a given length.</summary>
    public void Reopen(BrokerChannel channel, Connection connection, TimeSpan pause) => _ = ReopenAsync(channel, connection, pause, pause: false);

    private async Task WatchAsync(Connection connection)
    {
        await connection.Ended.ConfigureAwait(false);
        BrokerChannel[] channels = Channels();
        foreach (BrokerChannel channel in channels)
        {
            channel.OnLost(connection);
        }

        if ((channels.Length > 0 || Volatile.Read(ref _isKept)) && !_disposed.IsCancellationRequested)
        {
            Tell(ConnectionState.Lost, connection.Cause);
            await RestoreAsync().ConfigureAwait(false);
        }
    }

    private async Task RestoreAsync()
    {
        Connection? connection;
        do
        {
            if (Interlocked.Exchange(ref _restoring, 1) == 1)
            {
                return;
            }

            try
            {
                connection = await ReconnectAsync().ConfigureAwait(false);
            }
            finally
            {
                Interlocked.Exchange(ref _restoring, 0);
            }

            if (connection is null)
            {
                return;
            }
        }
        while (!connection.IsOpen); // Whoever saw this loss while the flag was up has left it to us.

        Tell(ConnectionState.Restored, null);
        foreach (BrokerChannel channel in Channels())
        {
            Reopen(channel, connection, pause: false);
        }
    }

    private async Task<Connection?> ReconnectAsync()
    {
        long since = Options.TimeProvider.GetTimestamp();
        if (Options.TimeProvider.GetElapsedTime(_openedAt) > 2 * Options.MaxReconnectDelay)
        {
            _pauses = new Backoff(Options.ReconnectDelay, Options.MaxReconnectDelay);
        }
        else
        {
            // The last one did not last: something may be wrong that a new one does not heal.
            await PauseAsync(_pauses.Next()).ConfigureAwait(false);
        }

        while (true)
        {
            try
            {
                Connection connection = await ConnectAsync(_disposed.Token).ConfigureAwait(false);
                _openedAt = Options.TimeProvider.GetTimestamp();
                return connection;
            }
            catch (DanubeException e)
            {
                bool hopeless = e.Code is ErrorCode.Unauthorized or ErrorCode.UnsupportedVersion;
                if (hopeless || (Options.GiveUpAfter != Timeout.InfiniteTimeSpan && Options.TimeProvider.GetElapsedTime(since) >= Options.GiveUpAfter))
                {
                    GiveUp(e);
                    return null;
                }
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return null;
            }

            if (!await IsNeededAsync().ConfigureAwait(false))
            {
                return null;
            }

            await PauseAsync(_pauses.Next()).ConfigureAwait(false);
        }
    }

    /// <summary>False when every channel has found its topic at another broker meanwhile: then nobody waits for this one.</summary>
    private async Task<bool> IsNeededAsync()
    {
        try
        {
            await _routes.LeaveAsync(this, _disposed.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            return false;
        }

        return Volatile.Read(ref _isKept) || Channels().Length > 0;
    }

    private async Task ReopenAsync(BrokerChannel channel, Connection connection, TimeSpan first, bool pause)
    {
        lock (_gate)
        {
            if (channel.OpeningOn == connection || channel.IsOpenOn(connection))
            {
                return;
            }

            channel.OpeningOn = connection;
        }

        if (first > TimeSpan.Zero)
        {
            await PauseAsync(first).ConfigureAwait(false);
        }

        while (true)
        {
            if (await OpenWithRetriesAsync(channel, connection, pause).ConfigureAwait(false) is { } next)
            {
                channel.OpeningOn = null;
                next.Adopt(channel);
                return;
            }

            lock (_gate)
            {
                // Lost again at once? Whoever saw that while we were at it has left it to us.
                if (!connection.IsOpen || _disposed.IsCancellationRequested || !_channels.Contains(channel) || channel.IsOpenOn(connection))
                {
                    channel.OpeningOn = channel.OpeningOn == connection ? null : channel.OpeningOn;
                    return;
                }
            }

            pause = true;
        }
    }

    /// <summary>Returns the link to another broker when the channel belongs there; it is detached here then.</summary>
    private async Task<BrokerLink?> OpenWithRetriesAsync(BrokerChannel channel, Connection connection, bool pause)
    {
        var backoff = new Backoff(Options.ReconnectDelay, Options.MaxReconnectDelay);
        TimeSpan longest = TimeSpan.MaxValue;
        while (!_disposed.IsCancellationRequested && connection.IsOpen)
        {
            try
            {
                if (pause)
                {
                    TimeSpan next = backoff.Next();
                    await PauseAsync(next < longest ? next : longest).ConfigureAwait(false);
                }

                if (!connection.IsOpen || !IsAttached(channel))
                {
                    return null;
                }

                await channel.OpenAsync(connection, Timeout.InfiniteTimeSpan, _disposed.Token).ConfigureAwait(false);
                channel.Redirects = 0;
                return null;
            }
            catch (DanubeException e) when (e.Retryable)
            {
                if (connection.IsOpen && await NextAsync(channel, e).ConfigureAwait(false) is { } next && TryDetach(channel))
                {
                    return next;
                }

                pause = true;
                longest = connection.IsOpen ? channel.OnOpenRefused(e) : longest;
            }
            catch (DanubeException e)
            {
                // Whatever a lost connection broke is opened again on the next one.
                if (connection.IsOpen)
                {
                    Detach(channel);
                    channel.Fault(e);
                }

                return null;
            }
            catch (OperationCanceledException)
            {
                return null;
            }
        }

        return null;
    }

    private async Task<BrokerLink?> NextAsync(BrokerChannel channel, DanubeException refusal)
    {
        try
        {
            return await _routes.NextAsync(channel, refusal, Address, _disposed.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            return null; // The client is being disposed.
        }
    }

    private bool TryDetach(BrokerChannel channel)
    {
        lock (_gate)
        {
            return _channels.Remove(channel);
        }
    }

    private bool IsAttached(BrokerChannel channel)
    {
        lock (_gate)
        {
            return _channels.Contains(channel);
        }
    }

    private void GiveUp(DanubeException cause)
    {
        Tell(ConnectionState.GivenUp, cause);
        foreach (BrokerChannel channel in Channels())
        {
            Detach(channel);
            channel.Fault(new DanubeException(cause.Retryable ? ErrorCode.Unavailable : cause.Code, $"The connection to {Address} is given up: {cause.Message}", cause));
        }
    }

    private async Task PauseAsync(TimeSpan pause)
    {
        try
        {
            await Task.Delay(pause, Options.TimeProvider, _disposed.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The loops look at the token themselves.
        }
    }

    private void Tell(ConnectionState state, Exception? cause)
    {
        try
        {
            Options.OnConnectionChange?.Invoke(new ConnectionChange(state, cause));
        }
        catch (Exception)
        {
            // A defect of the listener must not stop the recovery.
        }
    }
}
