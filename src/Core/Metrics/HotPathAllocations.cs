namespace Danube.Fast.Core;

/// <summary>
/// Bytes that the hot paths have allocated: receive loops on stream frames, dispatchers, acknowledging. It stands still in steady state. A path that runs inside
/// of another one on the same thread (acknowledging inside of a publish) is counted once.
/// Runs on: hot threads, twice per piece received or run of a dispatcher.
/// </summary>
public static class HotPathAllocations
{
    private static long _bytes;

    // What this thread has added: not counted again by the path around it.
    [ThreadStatic]
    private static long _added;

    /// <summary>Bytes since the process started.</summary>
    public static long Bytes => Volatile.Read(ref _bytes);

    /// <summary>What <see cref="End"/> wants, on the same thread.</summary>
    public static long Begin() => GC.GetAllocatedBytesForCurrentThread() - _added;

    /// <summary>Counts what the thread has allocated since <see cref="Begin"/> and not counted yet.</summary>
    public static void End(long begin)
    {
        long allocated = GC.GetAllocatedBytesForCurrentThread() - _added - begin;
        if (allocated > 0)
        {
            _added += allocated;
            Interlocked.Add(ref _bytes, allocated);
        }
    }
}
