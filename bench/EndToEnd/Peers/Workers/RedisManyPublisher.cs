using Danube.Fast.Bench.Peers.Wire;
using Danube.Fast.Bench.Workers;

namespace Danube.Fast.Bench.Peers.Workers;

/// <summary>
/// XADD over many connections, one batch to each in turn: the server reads 16 KiB of a connection before it writes and syncs, so that more connections share a sync. The
/// acknowledgements are read in the order in which the batches were sent. Runs on: as every publisher; <see cref="_ends"/> is written by the sending thread, read by the other.
/// </summary>
internal sealed class RedisManyPublisher : IPeerPublisher
{
    private const int Connections = 16;
    private const long PauseNanoseconds = 50_000;

    private readonly RedisPublisher[] _publishers;

    // Number of messages up to the end of each batch, in a ring that is longer than the window has messages.
    private readonly long[] _ends;
    private long _sentBatches;
    private long _sentMessages;
    private long _readBatches;
    private volatile bool _isDisposed;

    public RedisManyPublisher(PeerTarget target)
    {
        _publishers = [.. Enumerable.Range(0, Connections).Select(_ => new RedisPublisher(target))];
        _ends = new long[target.Window + target.Batch + 1];
    }

    public void Begin()
    {
        // Every message is a command of its own.
    }

    public void Select(int stream)
    {
        // This variant has one.
    }

    public void Add(WireBuffer output, ReadOnlySpan<byte> payload)
    {
        _publishers[0].Add(output, payload);
        _sentMessages++;
    }

    public void Complete(WireBuffer output)
    {
        // Nothing is around a batch.
    }

    public void Finish(WireBuffer output)
    {
        // Every message is acknowledged by itself.
    }

    public void Send(WireBuffer output)
    {
        if (output.Length == 0)
        {
            return;
        }

        _ends[_sentBatches % _ends.Length] = _sentMessages;
        _publishers[_sentBatches % Connections].Send(output);
        Volatile.Write(ref _sentBatches, _sentBatches + 1);
    }

    public long ReadAcknowledged()
    {
        while (Volatile.Read(ref _sentBatches) == _readBatches)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            ShortSleep.For(PauseNanoseconds);
        }

        long before = _readBatches == 0 ? 0 : _ends[(_readBatches - 1) % _ends.Length], end = _ends[_readBatches % _ends.Length];
        _publishers[_readBatches % Connections].ReadReplies((int)(end - before));
        _readBatches++;
        return end;
    }

    public void Dispose()
    {
        _isDisposed = true;
        foreach (RedisPublisher publisher in _publishers)
        {
            publisher.Dispose();
        }
    }
}
