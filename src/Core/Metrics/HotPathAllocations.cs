namespace Danube.Fast.Core;

/// <summary>
/// Bytes that the hot paths have allocated: receive loops on stream frames, dispatchers, acknowledging. It stands still in steady state.
/// Runs on: hot threads, twice per piece received or run of a dispatcher.
/// </summary>
public static class HotPathAllocations
{
    private static long _bytes;

    /// <summary>Bytes since the process started.</summary>
    public static long Bytes => Volatile.Read(ref _bytes);

    /// <summary>What <see cref="End"/> wants, on the same thread.</summary>
    public static long Begin() => GC.GetAllocatedBytesForCurrentThread();

    /// <summary>Counts what the thread has allocated since <see cref="Begin"/>.</summary>
    public static void End(long begin)
    {
        long allocated = GC.GetAllocatedBytesForCurrentThread() - begin;
        if (allocated > 0)
        {
            Interlocked.Add(ref _bytes, allocated);
        }
    }
}
