using Danube.Fast.Protocol;

namespace Danube.Fast.Client;

/// <summary>
/// The brokers of a cluster as the client knows them, for one kind of traffic: those it was given, those that brokers named, and a link to each
/// that it needs. Broker after broker says where a topic is; this class goes there.
/// Runs on: pool threads, the control path only. Shared with: the client, its links.
/// </summary>
internal sealed partial class BrokerRoutes : IAsyncDisposable
{
    // As docs/protocol.md says: so often in a row, then with pauses.
    private const int MaxRedirects = 5;

    private const int MaxKnown = 1000;

    private readonly Lock _gate = new();
    private readonly Dictionary<BrokerAddress, BrokerLink> _links = [];
    private readonly List<BrokerAddress> _known;
    private readonly CancellationTokenSource _disposed = new();
    private readonly BlockPool _blocks;
    private readonly string? _clientName;
    private readonly PeerInbox? _inbox;
    private BrokerLink _home;
    private long _revision;

    /// <param name="seeds">Where to begin, at least one.</param>
    /// <param name="options">Settings of the client.</param>
    /// <param name="blocks">Receive memory.</param>
    /// <param name="clientName">Name that other clients of the same broker reach this one under; null for none.</param>
    /// <param name="inbox">Takes what they send; null for nobody.</param>
    public BrokerRoutes(IReadOnlyList<BrokerAddress> seeds, DanubeClientOptions options, BlockPool blocks, string? clientName, PeerInbox? inbox)
    {
        Options = options;
        _known = [.. seeds.Distinct()];
        _blocks = blocks;
        _clientName = clientName;
        _inbox = inbox;
        _home = LinkTo(_known[0]);
    }

    public DanubeClientOptions Options { get; }

    /// <summary>The link for requests that no topic decides about; another one when its broker cannot be reached and another can.</summary>
    public BrokerLink Home => Volatile.Read(ref _home);

    /// <summary>The link to a broker, made when it is new.</summary>
    public BrokerLink LinkTo(BrokerAddress address)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed.IsCancellationRequested, typeof(DanubeClient));
            if (!_links.TryGetValue(address, out BrokerLink? link))
            {
                link = new BrokerLink(this, address, Options, _blocks, _clientName, _inbox);
                _links.Add(address, link);
                if (!_known.Contains(address))
                {
                    _known.Add(address);
                }
            }

            return link;
        }
    }

    /// <summary>The link to a broker, if there is one already.</summary>
    public BrokerLink? Find(BrokerAddress address)
    {
        lock (_gate)
        {
            return _links.GetValueOrDefault(address);
        }
    }

    /// <summary>A connection to the home broker, or to another one when that cannot be reached; that one is home then.</summary>
    /// <exception cref="DanubeException">None of them can be reached; the error is that of the first one.</exception>
    public async Task<(BrokerLink Link, Connection Connection)> ConnectAsync(CancellationToken cancellationToken)
    {
        BrokerLink home = Home;
        DanubeException? first = null;
        foreach (BrokerAddress address in Candidates(home.Address))
        {
            try
            {
                BrokerLink link = LinkTo(address);
                Connection connection = await link.ConnectAsync(cancellationToken).ConfigureAwait(false);
                Volatile.Write(ref _home, link);
                return (link, connection);
            }
            catch (DanubeException e) when (e.Code is not (ErrorCode.Unauthorized or ErrorCode.UnsupportedVersion))
            {
                first ??= e;
            }
        }

        throw first!;
    }

    /// <summary>Asks the home broker, and whom it names.</summary>
    /// <exception cref="DanubeException">A broker refuses, or cannot be reached.</exception>
    public Task<T> AskAsync<T>(Func<Connection, Task<T>> ask, CancellationToken cancellationToken) => AskAsync(null, ask, cancellationToken);

    /// <summary>Asks the broker of a link, null for the home broker, and whom it names. A topic that nobody serves yet is waited for, as long as a request may take.</summary>
    /// <exception cref="DanubeException">A broker refuses, or cannot be reached.</exception>
    public async Task<T> AskAsync<T>(BrokerLink? link, Func<Connection, Task<T>> ask, CancellationToken cancellationToken)
    {
        var patience = new Patience(Options);
        for (int redirects = 0; ;)
        {
            BrokerAddress asked = link?.Address ?? default;
            try
            {
                Connection connection = link is null
                    ? (await ConnectAsync(cancellationToken).ConfigureAwait(false)).Connection
                    : await link.ConnectAsync(cancellationToken).ConfigureAwait(false);
                asked = connection.Address;
                return await ask(connection).ConfigureAwait(false);
            }
            catch (DanubeException e) when (redirects < MaxRedirects && TargetOf(e, asked) is { } target)
            {
                redirects++;
                link = LinkTo(target);
            }
            catch (DanubeException e) when (patience.IsWorthIt(e, wasSent: redirects > 0))
            {
                await patience.PauseAsync(e, cancellationToken).ConfigureAwait(false);
                redirects = 0;
                link = null;
            }
        }
    }

    /// <summary>The brokers to ask, one after the other: this one first.</summary>
    private List<BrokerAddress> Candidates(BrokerAddress first)
    {
        lock (_gate)
        {
            return [first, .. _known.Where(a => a != first)];
        }
    }

    /// <summary>Where an error sends us: another address than that of the broker that sent it; null for nowhere.</summary>
    private BrokerAddress? TargetOf(DanubeException error, BrokerAddress sender)
    {
        if (error.Redirect is not { } redirect)
        {
            return null;
        }

        NoteRevision(redirect.Revision);
        return error.Code == ErrorCode.NotOwner && BrokerAddress.TryParse(redirect.Address, out BrokerAddress address) && address != sender ? address : null;
    }

    /// <summary>What a broker says about its cluster in HELLO.</summary>
    public void Note(HelloReply hello)
    {
        lock (_gate)
        {
            // Bounded: a broker must not fill the client's memory.
            foreach (string text in (hello.Brokers ?? []).Take(MaxKnown))
            {
                if (_known.Count < MaxKnown && BrokerAddress.TryParse(text, out BrokerAddress address) && !_known.Contains(address))
                {
                    _known.Add(address);
                }
            }
        }
    }

    private void NoteRevision(long revision)
    {
        long seen = Volatile.Read(ref _revision);
        while (revision > seen)
        {
            long found = Interlocked.CompareExchange(ref _revision, revision, seen);
            if (found == seen)
            {
                return;
            }

            seen = found;
        }
    }

    public async ValueTask DisposeAsync()
    {
        BrokerLink[] links;
        lock (_gate)
        {
            _disposed.Cancel();
            links = [.. _links.Values];
        }

        await Task.WhenAll(links.Select(l => l.DisposeAsync().AsTask())).ConfigureAwait(false);
        _disposed.Dispose();
    }
}
