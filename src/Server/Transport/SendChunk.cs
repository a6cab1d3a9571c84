namespace Danube.Fast.Server.Transport;

/// <summary>
/// A pinned piece of memory in which small frames are put together before they leave. Several parts of a queue may lie in one
/// chunk. Runs on: any thread, under the lock of the queue that holds it.
/// </summary>
internal sealed class SendChunk
{
    /// <summary>Bytes of a chunk.</summary>
    public const int Size = 32 * 1024;

    private const int MaxPooled = 1024;

    private static readonly Lock PoolGate = new();
    private static readonly SendChunk?[] Pool = new SendChunk?[MaxPooled];
    private static int _pooled;
    private static long _made;

    private SendChunk()
    {
    }

    /// <summary>Bytes kept for the next use.</summary>
    public static long KeptBytes => (long)Volatile.Read(ref _pooled) * Size;

    /// <summary>Bytes of chunks made so far.</summary>
    public static long MadeBytes => Volatile.Read(ref _made);

    /// <summary>The bytes; pinned for life, so that the kernel may read them without a handle.</summary>
    public byte[] Array { get; } = GC.AllocateUninitializedArray<byte>(Size, pinned: true);

    /// <summary>Bytes written so far; the next small frame follows here.</summary>
    public int Written { get; set; }

    /// <summary>Parts of the queue that lie in this chunk.</summary>
    public int Parts { get; set; }

    public static SendChunk Rent()
    {
        lock (PoolGate)
        {
            if (_pooled > 0)
            {
                SendChunk chunk = Pool[--_pooled]!;
                Pool[_pooled] = null;
                return chunk;
            }
        }

        Interlocked.Add(ref _made, Size);
        return new SendChunk();
    }

    public void Return()
    {
        Written = 0;
        Parts = 0;
        lock (PoolGate)
        {
            if (_pooled < MaxPooled)
            {
                Pool[_pooled++] = this;
            }
        }
    }
}
