namespace Danube.Fast.Client;

/// <summary>
/// A piece of receive memory, kept alive by everything that points into it. Runs on: the receiving thread and the readers. Shared with: both,
/// through the reference count only.
/// </summary>
internal sealed class ReceiveBlock(byte[] bytes, BlockPool pool)
{
    private int _references = 1;

    public byte[] Bytes { get; } = bytes;

    /// <summary>True when nobody but the caller, who holds one reference, points here.</summary>
    public bool IsOnlyMine => Volatile.Read(ref _references) == 1;

    public void AddReference() => Interlocked.Increment(ref _references);

    public void Release()
    {
        if (Interlocked.Decrement(ref _references) == 0)
        {
            pool.Return(this);
        }
    }

    internal void Revive() => _references = 1;
}

/// <summary>Blocks of two sizes, kept for reuse up to a limit; larger ones are made to measure. Thread-safe.</summary>
internal sealed class BlockPool
{
    public const int SmallBytes = 64 * 1024, LargeBytes = 1024 * 1024;

    private const int MaxSmall = 64, MaxLarge = 16;

    private readonly Lock _gate = new();
    private readonly ReceiveBlock[] _small = new ReceiveBlock[MaxSmall];
    private readonly ReceiveBlock[] _large = new ReceiveBlock[MaxLarge];
    private int _smallCount, _largeCount;

    public ReceiveBlock Rent(int bytes)
    {
        lock (_gate)
        {
            ReceiveBlock? block = bytes <= SmallBytes
                ? Pop(_small, ref _smallCount)
                : bytes <= LargeBytes ? Pop(_large, ref _largeCount) : null;
            if (block is not null)
            {
                block.Revive();
                return block;
            }
        }

        int size = bytes <= SmallBytes ? SmallBytes : Math.Max(bytes, LargeBytes);
        return new ReceiveBlock(GC.AllocateUninitializedArray<byte>(size), this);
    }

    internal void Return(ReceiveBlock block)
    {
        lock (_gate)
        {
            if (block.Bytes.Length == SmallBytes && _smallCount < MaxSmall)
            {
                _small[_smallCount++] = block;
            }
            else if (block.Bytes.Length == LargeBytes && _largeCount < MaxLarge)
            {
                _large[_largeCount++] = block;
            }
        }
    }

    private static ReceiveBlock? Pop(ReceiveBlock[] stack, ref int count)
    {
        if (count == 0)
        {
            return null;
        }

        ReceiveBlock block = stack[--count];
        stack[count] = null!;
        return block;
    }
}
