using System.Net.Sockets;

namespace Danube.Fast.Client;

/// <summary>
/// Everything that leaves on one connection, in the order of the calls. Small frames are copied together while a send is running; batches are
/// sent from where they were built. Whoever finds the queue idle sends on its own thread, for a few rounds; then the pool continues.
/// Runs on: any thread; one at a time has the sending role (<c>_sending</c>). Shared with: all producers and consumers of the connection.
/// </summary>
internal sealed partial class SendQueue : IThreadPoolWorkItem, IDisposable
{
    private const int FirstCapacity = 64;

    private readonly Lock _gate = new();
    private readonly Socket _socket;
    private readonly SocketAsyncEventArgs _args = new(true);
    private readonly Action<Exception> _onFailed;
    private readonly Action _onEnded;
    private Part[] _parts = new Part[FirstCapacity];
    private int _head, _count;
    private bool _sending, _closed, _ended;

    /// <param name="socket">A connected socket.</param>
    /// <param name="onFailed">Told of the first failed send; must close the connection.</param>
    /// <param name="onEnded">Told once when, after <see cref="Close"/>, no send is running any more.</param>
    public SendQueue(Socket socket, Action<Exception> onFailed, Action onEnded)
    {
        _socket = socket;
        _onFailed = onFailed;
        _onEnded = onEnded;
        _args.Completed += (_, _) => Run(int.MaxValue, completed: true);
    }

    /// <summary>Bytes handed to the socket so far; moves only with the sending role.</summary>
    public long SentBytes { get; private set; }

    /// <summary>Queues a copy of whole frames. False when the connection is closed. Call <see cref="Flush"/> afterwards.</summary>
    public bool TryEnqueue(ReadOnlySpan<byte> frames)
    {
        lock (_gate)
        {
            if (_closed)
            {
                return false;
            }

            if (_count > 0)
            {
                ref Part tail = ref PartAt(_count - 1);
                if (tail.Batch is null && tail.Bytes.Length - tail.Length >= frames.Length)
                {
                    frames.CopyTo(tail.Bytes.AsSpan(tail.Length));
                    tail.Length += frames.Length;
                    return true;
                }
            }

            Add(Part.OfCopy(frames));
            return true;
        }
    }

    /// <summary>Queues a sealed batch by reference and holds a reference to it until its bytes have left. False when the connection is closed.</summary>
    public bool TryEnqueue(Batch batch)
    {
        lock (_gate)
        {
            if (_closed)
            {
                return false;
            }

            batch.AddReference();
            Add(Part.OfBatch(batch));
            return true;
        }
    }

    /// <summary>Drops what is queued and refuses more. The socket must be closed too, so that a running send ends.</summary>
    public void Close()
    {
        bool ended;
        lock (_gate)
        {
            _closed = true;
            ended = !_sending && !_ended;
            _ended |= ended;
            ReleaseAll();
        }

        if (ended)
        {
            _onEnded();
        }
    }

    public void Dispose() => _args.Dispose();

    private void Add(Part part)
    {
        if (_count == _parts.Length)
        {
            var larger = new Part[_parts.Length * 2];
            for (int i = 0; i < _count; i++)
            {
                larger[i] = PartAt(i);
            }

            _parts = larger;
            _head = 0;
        }

        _parts[(_head + _count) & (_parts.Length - 1)] = part;
        _count++;
    }

    private ref Part PartAt(int index) => ref _parts[(_head + index) & (_parts.Length - 1)];

    private Part TakeFirst()
    {
        ref Part slot = ref _parts[_head];
        Part part = slot;
        slot = default;
        _head = (_head + 1) & (_parts.Length - 1);
        _count--;
        return part;
    }

    private void ReleaseAll()
    {
        while (_count > 0)
        {
            TakeFirst().Release();
        }
    }
}
