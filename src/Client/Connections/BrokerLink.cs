using Danube.Fast.Protocol;

namespace Danube.Fast.Client;

/// <summary>
/// The way to one broker for one kind of traffic: a connection that is made on demand and made again while channels need it. On each new
/// connection every channel is opened again. Runs on: pool threads, the control path only. Shared with: the client's producers or consumers.
/// </summary>
internal sealed partial class BrokerLink : IAsyncDisposable
{
    private static readonly TimeSpan TickPeriod = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _connecting = new(1, 1);
    private readonly CancellationTokenSource _disposed = new();
    private readonly List<BrokerChannel> _channels = [];
    private readonly BlockPool _blocks;
    private readonly ITimer _timer;
    private readonly string? _clientName;
    private readonly PeerInbox? _inbox;
    private readonly BrokerRoutes _routes;
    private Connection? _current;
    private bool _isKept;

    /// <param name="routes">The other brokers.</param>
    /// <param name="address">Where the broker is.</param>
    /// <param name="options">Settings of the client.</param>
    /// <param name="blocks">Receive memory.</param>
    /// <param name="clientName">Name that other clients reach the connections of this link under; null for none.</param>
    /// <param name="inbox">Takes what they send; null for nobody.</param>
    public BrokerLink(BrokerRoutes routes, BrokerAddress address, DanubeClientOptions options, BlockPool blocks, string? clientName, PeerInbox? inbox)
    {
        _routes = routes;
        _clientName = clientName;
        _inbox = inbox;
        Address = address;
        Options = options;
        _blocks = blocks;
        _pauses = new Backoff(options.ReconnectDelay, options.MaxReconnectDelay);
        _openedAt = options.TimeProvider.GetTimestamp() - (long)(3 * options.MaxReconnectDelay.TotalSeconds * options.TimeProvider.TimestampFrequency);
        _timer = options.TimeProvider.CreateTimer(static link => ((BrokerLink)link!).Tick(), this, TickPeriod, TickPeriod);
    }

    public BrokerAddress Address { get; }
    public DanubeClientOptions Options { get; }

    /// <summary>The latest connection, which may be lost; null before the first.</summary>
    public Connection? Current => Volatile.Read(ref _current);

    /// <summary>The connection, made now if there is none. One attempt.</summary>
    /// <exception cref="DanubeException">The broker cannot be reached or refuses.</exception>
    /// <exception cref="ObjectDisposedException">The client is disposed.</exception>
    public async Task<Connection> ConnectAsync(CancellationToken cancellationToken)
    {
        await _connecting.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(_disposed.IsCancellationRequested, typeof(DanubeClient));
            if (_current is { IsOpen: true } open)
            {
                return open;
            }

            if (_current is { } old)
            {
                await old.Ended.ConfigureAwait(false);
            }

            Connection connection = await Connection.OpenAsync(Address, Options, _blocks, _clientName, _inbox, cancellationToken).ConfigureAwait(false);
            _routes.Note(connection.Hello);
            Volatile.Write(ref _current, connection);
            _ = WatchAsync(connection);
            return connection;
        }
        finally
        {
            _connecting.Release();
        }
    }

    /// <summary>Opens a channel for the first time and keeps it open from then on. A partitioned topic only tells its number of partitions.</summary>
    /// <exception cref="DanubeException">The broker cannot be reached or refuses; an answer can still come, so the channel must be at fault, or asked about again.</exception>
    public async Task AttachAsync(BrokerChannel channel, CancellationToken cancellationToken)
    {
        Connection connection = await ConnectAsync(cancellationToken).ConfigureAwait(false);
        await channel.OpenAsync(connection, Options.RequestTimeout, cancellationToken).ConfigureAwait(false);
        if (channel.Partitions > 1)
        {
            return; // It was the question how many there are; nothing is open.
        }

        lock (_gate)
        {
            _channels.Add(channel);
        }

        // What was lost before the channel stood in the list was nobody's business.
        if (!connection.IsOpen)
        {
            channel.OnLost(connection);
            _ = RestoreAsync();
        }
        else if (!channel.IsOpenOn(connection))
        {
            Reopen(channel, connection, pause: true);
        }
    }

    /// <summary>Takes over a channel that was open at another broker: opens it here, as after a loss.</summary>
    public void Adopt(BrokerChannel channel)
    {
        channel.Link = this;
        lock (_gate)
        {
            _channels.Add(channel);
        }

        if (Volatile.Read(ref _current) is { IsOpen: true } connection)
        {
            Reopen(channel, connection, pause: false);
        }
        else
        {
            _ = RestoreAsync();
        }
    }

    /// <summary>From now on the connection is made again also when no channel needs it: others want to reach this client.</summary>
    public void Keep()
    {
        Volatile.Write(ref _isKept, true);
        if (Volatile.Read(ref _current) is not { IsOpen: true })
        {
            _ = RestoreAsync();
        }
    }

    /// <summary>Forgets a channel: it is not opened again.</summary>
    public void Detach(BrokerChannel channel)
    {
        lock (_gate)
        {
            _channels.Remove(channel);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _disposed.CancelAsync().ConfigureAwait(false);
        await _timer.DisposeAsync().ConfigureAwait(false);
        await _connecting.WaitAsync().ConfigureAwait(false);
        Connection? connection = _current;
        _connecting.Release();
        if (connection is not null)
        {
            await connection.DisposeAsync().ConfigureAwait(false);
        }

        foreach (BrokerChannel channel in Channels())
        {
            Detach(channel);
            channel.Fault(new DanubeException(ErrorCode.EndOfStream, "The client is disposed."));
        }
    }

    private void Tick()
    {
        Connection? connection = Volatile.Read(ref _current);
        if (connection is not { IsOpen: true })
        {
            return;
        }

        connection.CheckHealth();
        lock (_gate)
        {
            foreach (BrokerChannel channel in _channels)
            {
                channel.OnTick();
            }
        }
    }

    /// <summary>The channels of this link at the moment.</summary>
    public BrokerChannel[] Channels()
    {
        lock (_gate)
        {
            return [.. _channels];
        }
    }
}
