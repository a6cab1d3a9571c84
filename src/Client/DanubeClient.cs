using Danube.Fast.Protocol;

namespace Danube.Fast.Client;

/// <summary>
/// A client of a broker, or of a cluster of brokers: the place where producers and consumers come from. To each broker that it needs it uses one
/// connection for producers and requests and one for consumers, made when needed and made again when lost. It finds the broker that serves a
/// topic by itself, and follows when the topic moves. Thread-safe; one per process is enough.
/// </summary>
public sealed partial class DanubeClient : IAsyncDisposable
{
    private readonly BlockPool _blocks = new();
    private readonly PeerInbox _inbox;
    private readonly BrokerRoutes _publishing, _consuming;
    private readonly Lock _gate = new();
    private readonly HashSet<IAsyncDisposable> _open = [];
    private BatchPool? _batches;
    private string[] _codecs = [];
    private int _disposed;

    private DanubeClient(BrokerAddress[] seeds, DanubeClientOptions options)
    {
        Name = options.MakeName();
        _inbox = new PeerInbox(options);

        // One of the two has the name: the broker passes what is sent to it on to one connection.
        _publishing = new BrokerRoutes(seeds, options, _blocks, Name, _inbox);
        _consuming = new BrokerRoutes(seeds, options, _blocks, null, null);
        _inbox.Routes = _publishing;
    }

    /// <summary>The address of the broker that requests go to first, <c>danube://host:port</c>.</summary>
    public string Url => _publishing.Home.Address.ToString();

    /// <summary>Name of the broker, as it said in HELLO.</summary>
    public string BrokerName { get; private set; } = "";

    /// <summary>Largest frame agreed with the broker, bytes: the bound of a message with its key and attributes, unless it travels in chunks.</summary>
    public int MaxFrame { get; private set; }

    /// <summary>Connects to a broker, or to any one of several of a cluster.</summary>
    /// <param name="url"><c>danube://host:port</c> or <c>host:port</c>; the port is 6650 when it is left out. Several with commas between: they are tried in this order.</param>
    /// <param name="options">Settings; null for the defaults.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="DanubeException">The broker cannot be reached or refuses.</exception>
    /// <exception cref="ArgumentException">The address or a setting is not valid.</exception>
    public static async Task<DanubeClient> ConnectAsync(string url, DanubeClientOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new DanubeClientOptions();
        options.Validate();
        var client = new DanubeClient(BrokerAddress.ParseAll(url), options);
        try
        {
            (_, Connection connection) = await client._publishing.ConnectAsync(cancellationToken).ConfigureAwait(false);
            client.BrokerName = connection.Hello.BrokerName;
            client._codecs = connection.Hello.Codecs;
            client.MaxFrame = Math.Min(connection.Hello.MaxFrame, options.MaxFrame);
            client._batches = new BatchPool(client.MaxFrame);
            return client;
        }
        catch
        {
            await client.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Makes a producer.</summary>
    /// <param name="options">Topic and settings.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="DanubeException">The broker refuses or cannot be reached.</exception>
    public async Task<Producer> CreateProducerAsync(ProducerOptions options, CancellationToken cancellationToken = default)
    {
        options.Validate();
        ThrowIfDisposed();
        if (options.Compression != Codec.None && !_codecs.Contains(Compression.Name(options.Compression), StringComparer.Ordinal))
        {
            throw new DanubeException(ErrorCode.UnknownCodec, $"The broker does not take {Compression.Name(options.Compression)}; it takes: {string.Join(", ", _codecs)}.");
        }

        string name = options.Name ?? $"producer-{Guid.NewGuid():N}";
        PartitionProducer[] partitions = await AttachAsync(
            _publishing, (topic, index) => new PartitionProducer(_publishing.Home, options, topic, index, name, _batches!, MaxFrame),
            p => p.CloseAsync(), options.Topic, cancellationToken).ConfigureAwait(false);
        return Remember(new Producer(this, options.Topic, name, partitions));
    }

    /// <summary>Attaches a consumer to a subscription, which is created when it does not exist.</summary>
    /// <param name="options">Topic, subscription and settings.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="DanubeException">The broker refuses (for example <see cref="ErrorCode.SubscriptionBusy"/>) or cannot be reached.</exception>
    public async Task<Consumer> SubscribeAsync(ConsumerOptions options, CancellationToken cancellationToken = default)
    {
        options.Validate();
        ThrowIfDisposed();
        string name = options.Name ?? $"consumer-{Guid.NewGuid():N}";
        var consumer = new Consumer(this, _consuming, options, name, _blocks, MaxFrame);
        try
        {
            consumer.Attach(await AttachAsync(
                _consuming, (topic, index) => new PartitionConsumer(_consuming.Home, consumer, options, topic, index, name),
                p => p.CloseAsync(new DanubeException(ErrorCode.EndOfStream, "The subscription of another partition failed.")),
                options.Topic, cancellationToken).ConfigureAwait(false));
            return Remember(consumer);
        }
        catch
        {
            await consumer.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Makes a reader: a look at a topic from any position on, which leaves no trace.</summary>
    /// <param name="options">Topic and settings.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="DanubeException">The broker refuses or cannot be reached.</exception>
    public async Task<Reader> CreateReaderAsync(ReaderOptions options, CancellationToken cancellationToken = default) =>
        new(this, await SubscribeAsync(options.ToConsumer(), cancellationToken).ConfigureAwait(false));

    /// <summary>Disposes all producers, consumers and readers (outstanding messages and acknowledgements first), then closes the connections.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 1)
        {
            return;
        }

        IAsyncDisposable[] open;
        lock (_gate)
        {
            open = [.. _open];
        }

        await Task.WhenAll(open.Select(o => o.DisposeAsync().AsTask())).ConfigureAwait(false);
        await _inbox.DisposeAsync().ConfigureAwait(false);
        await _publishing.DisposeAsync().ConfigureAwait(false);
        await _consuming.DisposeAsync().ConfigureAwait(false);
        _batches?.Dispose();
    }

    internal void Forget(IAsyncDisposable disposed)
    {
        lock (_gate)
        {
            _open.Remove(disposed);
        }
    }

    /// <summary>Opens the one channel of a plain topic, or one for each partition when the broker says that there are several.</summary>
    private static async Task<TChannel[]> AttachAsync<TChannel>(
        BrokerRoutes routes, Func<string, int, TChannel> make, Func<TChannel, ValueTask> close, string topic, CancellationToken cancellationToken)
        where TChannel : BrokerChannel
    {
        TChannel first = make(topic, 0);
        await routes.AttachAsync(first, cancellationToken).ConfigureAwait(false);
        if (first.Partitions == 1)
        {
            return [first];
        }

        TChannel[] all = [.. Enumerable.Range(0, first.Partitions).Select(i => make($"{topic}-part-{i}", i))];
        try
        {
            await Task.WhenAll(all.Select(c => routes.AttachAsync(c, cancellationToken))).ConfigureAwait(false);
            return all;
        }
        catch
        {
            await Task.WhenAll(all.Select(c => close(c).AsTask())).ConfigureAwait(false);
            throw;
        }
    }

    private T Remember<T>(T opened)
        where T : IAsyncDisposable
    {
        lock (_gate)
        {
            _open.Add(opened);
        }

        return opened;
    }

    private void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) == 1, this);
}
