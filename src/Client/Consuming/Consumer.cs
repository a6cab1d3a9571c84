using Danube.Fast.Protocol;

namespace Danube.Fast.Client;

/// <summary>
/// Receives the messages of one topic (all its partitions) through a subscription. Receive from one thread at a time; acknowledge from any.
/// After a lost connection the consumer attaches again by itself: what was taken but not acknowledged comes again, what was acknowledged does
/// not, also when the broker had not heard of it yet. Made by <see cref="DanubeClient.SubscribeAsync"/>.
/// </summary>
public sealed partial class Consumer : IAsyncDisposable
{
    private readonly DanubeClient _client;
    private readonly BrokerRoutes _routes;
    private readonly ITimer _ackTimer;
    private readonly ConsumerOptions _options;
    private PartitionConsumer[] _partitions = [];
    private DanubeException? _fault;
    private int _disposed, _timerArmed;

    internal Consumer(DanubeClient client, BrokerRoutes routes, ConsumerOptions options, string name, BlockPool blocks, int maxFrame)
    {
        _client = client;
        _routes = routes;
        _options = options;
        Name = name;
        Blocks = blocks;
        _maxRawLength = maxFrame;
        _process = new ProcessTrace(this);
        _chunks = new ChunkAssembler(options.MaxChunkedBytes, routes.Options.TimeProvider);
        _ackTimer = routes.Options.TimeProvider.CreateTimer(static consumer => ((Consumer)consumer!).OnAckTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The topic.</summary>
    public string Topic => _options.Topic;

    /// <summary>The subscription.</summary>
    public string Subscription => _options.Subscription;

    /// <summary>The name, given or made up.</summary>
    public string Name { get; }

    /// <summary>Number of partitions, 1 on topics that are not partitioned.</summary>
    public int PartitionCount => _partitions.Length;

    /// <summary>First offset behind what is visible to consumers, as last heard from the broker (partition 0).</summary>
    public long DurableEnd => GetDurableEnd(0);

    /// <summary>First offset that was not acknowledged when this consumer was attached (partition 0).</summary>
    public long StartOffset => GetStartOffset(0);

    internal DeliverQueue Queue { get; } = new();
    internal BlockPool Blocks { get; }

    /// <summary>First offset behind what is visible to consumers, as last heard from the broker: with the subscription and with every deliver.</summary>
    /// <param name="partition">Index of the partition.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such partition.</exception>
    public long GetDurableEnd(int partition) => Partition(partition).DurableEnd;

    /// <summary>First offset that was not acknowledged when this consumer was attached.</summary>
    /// <param name="partition">Index of the partition.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such partition.</exception>
    public long GetStartOffset(int partition) => Partition(partition).StartOffset;

    /// <summary>
    /// Moves the subscription, all partitions of it. What was received before can no longer be acknowledged; the next message received is one
    /// from the new position.
    /// </summary>
    /// <param name="to"><c>earliest</c>, <c>latest</c>, <c>offset:N</c> or <c>time:UNIX_MICROSECONDS</c>.</param>
    /// <param name="cancellationToken">Ends the wait; the broker may still do it.</param>
    /// <exception cref="DanubeException">The broker refuses or cannot be reached.</exception>
    public async ValueTask SeekAsync(string to, CancellationToken cancellationToken = default)
    {
        ThrowIfFaulted();
        foreach (PartitionConsumer partition in _partitions)
        {
            await _routes.AskAsync(partition.Link, connection => partition.SeekAsync(connection, to, cancellationToken), cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Sends outstanding acknowledgements and gives the channel back. The subscription stays, with its position.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 1)
        {
            return;
        }

        _client.Forget(this);
        _process.End();
        var cause = new DanubeException(ErrorCode.EndOfStream, $"The consumer of {Topic} is disposed.");
        await Task.WhenAll(_partitions.Select(p => p.CloseAsync(cause).AsTask())).ConfigureAwait(false);
        await _ackTimer.DisposeAsync().ConfigureAwait(false);
    }

    internal bool IsDisposed => Volatile.Read(ref _disposed) == 1;

    internal void Attach(PartitionConsumer[] partitions) => _partitions = partitions;

    /// <summary>One partition that ends ends the consumer: a part of a topic would be a silent loss.</summary>
    internal void OnFault(DanubeException cause)
    {
        Interlocked.CompareExchange(ref _fault, cause, null);
        Queue.Wake();
    }

    internal void ThrowIfFaulted()
    {
        if (Volatile.Read(ref _fault) is { } fault)
        {
            throw fault.Copy();
        }
    }

    internal PartitionConsumer Partition(int index)
    {
        if ((uint)index >= (uint)_partitions.Length)
        {
            ThrowHelper.NoSuchPartition(index, _partitions.Length);
        }

        return _partitions[index];
    }
}
