namespace Danube.Fast.Client;

/// <summary>Batches for reuse, up to a limit of memory; shared by the producers of a client. Thread-safe.</summary>
internal sealed class BatchPool(int maxFrame) : IDisposable
{
    /// <summary>First size of a batch's buffer: small, because most batches of a quiet producer hold one message.</summary>
    public const int FirstBytes = 4 * 1024;

    // A buffer grown for one huge message is not kept; the whole pool is at most 32 MiB.
    private const int MaxKeptBytes = 128 * 1024;
    private const int MaxKept = 256;

    private readonly Lock _gate = new();
    private readonly Batch[] _free = new Batch[MaxKept];
    private int _count;
    private bool _disposed;

    public Batch Rent()
    {
        Batch? batch = null;
        lock (_gate)
        {
            if (_count > 0)
            {
                batch = _free[--_count];
            }
        }

        batch ??= new Batch(this, maxFrame);
        batch.Begin();
        return batch;
    }

    public void Return(Batch batch)
    {
        bool small = batch.Length <= MaxKeptBytes;
        batch.Reset();
        lock (_gate)
        {
            if (small && _count < MaxKept && !_disposed)
            {
                _free[_count++] = batch;
                return;
            }
        }

        batch.Dispose();
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            while (_count > 0)
            {
                _free[--_count].Dispose();
            }
        }
    }
}
