using Danube.Fast.Protocol;

namespace Danube.Fast.Client;

/// <summary>
/// The producer of one partition. Messages go into the open batch; a closed batch gets its sequences and a place in the window, is sealed and
/// handed to the connection by the pump, and leaves the window when it is acknowledged or refused. The window survives connections and is sent
/// again, unchanged, on each new one.
/// Runs on: senders append under <c>_gate</c>; one thread at a time pumps; the receive loop settles. Shared with: all of them, through <c>_gate</c>.
/// </summary>
internal sealed partial class PartitionProducer : BrokerChannel, IThreadPoolWorkItem
{
    private readonly SenderLock _gate = new();
    private readonly ProducerOptions _options;
    private readonly string _name;
    private readonly ulong _producerId;
    private readonly BatchPool _batches;
    private readonly OperationPool _operations = new();
    private readonly BatchWindow _window = new();
    private readonly int _maxFrame, _maxBatchBytes;
    private ProducerState _state = ProducerState.Opening;
    private DanubeException? _fault;
    private Connection? _connection;
    private uint _channel;
    private ulong _nextSequence, _ackedSequence;
    private uint _topicEpoch;
    private long _windowLimit;
    private bool _pumping;

    public PartitionProducer(BrokerLink link, ProducerOptions options, string topic, int partition, string name, BatchPool batches, int maxFrame)
        : base(link)
    {
        _options = options;
        Topic = topic;
        Partition = partition;
        _name = name;
        _producerId = KeyHash.ProducerId(name);
        _batches = batches;
        _maxFrame = maxFrame;
        _maxBatchBytes = Math.Min(options.MaxBatchBytes, maxFrame);
        _longestPlain = maxFrame - FrameOverhead - ProtocolLimits.MinRecordSize;
        _chunkBytes = (Math.Min(options.ChunkBytes, maxFrame) & ~(ProtocolLimits.FrameAlignment - 1)) - ProtocolLimits.HeaderSize;
        _keyed = options.BatchByKey ? new KeyBatches() : null;
    }

    private enum ProducerState
    {
        /// <summary>No channel: messages are taken as far as the window allows, nothing is sent.</summary>
        Opening,
        Open,

        /// <summary>For good: every call throws <see cref="_fault"/>.</summary>
        Faulted,
    }

    public override string Topic { get; }
    public int Partition { get; }

    /// <summary>Moves with every closed batch; a hint for spreading messages over partitions.</summary>
    public int ClosedBatches { get; private set; }

    /// <summary>Last sequence that the broker has acknowledged; 0 for none.</summary>
    public ulong AckedSequence
    {
        get
        {
            using (_gate.Enter())
            {
                return _ackedSequence;
            }
        }
    }

    public override bool IsOpenOn(Connection connection)
    {
        using (_gate.Enter())
        {
            return _state == ProducerState.Faulted || (_state == ProducerState.Open && _connection == connection);
        }
    }

    /// <summary>Ends the producer: outstanding messages fail, the channel is closed.</summary>
    public override void Fault(DanubeException cause)
    {
        Batch? failed = null;
        SendOperation? waiters;
        List<FlushWaiter>? flushes;
        Connection? connection;
        uint channel;
        using (_gate.Enter())
        {
            if (_state == ProducerState.Faulted)
            {
                return;
            }

            connection = _state == ProducerState.Open ? _connection : null;
            channel = _channel;
            _state = ProducerState.Faulted;
            _connection = null;
            _fault = cause;
            // Only so that every message is in the list: nothing is sent any more.
            CloseOpen();

            for (int i = _window.Count; i > 0; i--)
            {
                Push(ref failed, _window.RemoveAt(i - 1));
            }

            waiters = TakeWaiters();
            flushes = TakeFlushes(long.MaxValue);
        }

        connection?.CloseChannel(channel);
        FailBatches(failed, cause);
        for (SendOperation? next; waiters is not null; waiters = next)
        {
            next = waiters.Next;
            waiters.Message = default;
            waiters.Large = null;
            if (waiters.Flush is { } flush)
            {
                flush.Done.TrySetException(cause.Copy());
            }
            else
            {
                waiters.Fail(cause.Copy());
            }
        }

        Complete(flushes);
    }

    /// <summary>Waits for what is outstanding (not longer than the close timeout), then gives the channel back.</summary>
    public async ValueTask CloseAsync()
    {
        try
        {
            if (_fault is null)
            {
                await FlushAsync(CancellationToken.None).AsTask().WaitAsync(Link.Options.CloseTimeout, Link.Options.TimeProvider).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is TimeoutException or DanubeException)
        {
            // Those who wait for the messages hear of it themselves.
        }

        Link.Detach(this);
        Fault(new DanubeException(ErrorCode.EndOfStream, $"The producer of {Topic} is disposed."));
    }

    // In front: the list is built from the last to the first.
    private static void Push(ref Batch? list, Batch batch)
    {
        batch.Next = list;
        list = batch;
    }

    private static void FailBatches(Batch? list, DanubeException cause)
    {
        for (Batch? next; list is not null; list = next)
        {
            next = list.Next;
            SendOperation? operation = list.Operations.First;
            for (SendOperation? following; operation is not null; operation = following)
            {
                following = operation.Next;
                operation.Fail(cause.Copy());
            }

            list.Release();
        }
    }

    private void ThrowIfFaulted()
    {
        if (_state == ProducerState.Faulted)
        {
            ThrowFault();
        }
    }

    private void ThrowFault() => throw _fault!.Copy();
}
