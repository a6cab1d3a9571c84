using System.Buffers;
using System.Numerics;

namespace Danube.Fast.Server.Transport;

/// <summary>
/// Receive buffers of the usual sizes, shared by all connections: the one given back last is handed out first, whatever the
/// thread, so there are as many as are in use at once and they stay warm. Other sizes come from the shared array pool.
/// Runs on: receive loops; two short locks for each wait of a connection.
/// </summary>
internal static class ReceiveBufferPool
{
    // 64 KiB to 1 MiB; what is kept unused is at most so much of each size.
    private const int Sizes = 5;
    private const int MaxKeptBytesPerSize = 16 * 1024 * 1024;

    private static long _made;

    private static readonly Stack<byte[]>[] Kept = [.. Enumerable.Range(0, Sizes).Select(_ => new Stack<byte[]>())];

    /// <summary>Bytes kept for the next use.</summary>
    public static long KeptBytes => Kept.Select((stack, index) => (long)stack.Count * (SocketPipeReader.SmallestBuffer << index)).Sum();

    /// <summary>Bytes of buffers made so far.</summary>
    public static long MadeBytes => Volatile.Read(ref _made);

    /// <summary>A buffer of at least <paramref name="size"/> bytes.</summary>
    public static byte[] Rent(int size)
    {
        if (IndexOf(size) is not { } index)
        {
            return ArrayPool<byte>.Shared.Rent(size);
        }

        lock (Kept[index])
        {
            if (Kept[index].TryPop(out byte[]? buffer))
            {
                return buffer;
            }
        }

        Interlocked.Add(ref _made, SocketPipeReader.SmallestBuffer << index);
        return GC.AllocateUninitializedArray<byte>(SocketPipeReader.SmallestBuffer << index);
    }

    public static void Return(byte[] buffer)
    {
        if (IndexOf(buffer.Length) is not { } index)
        {
            ArrayPool<byte>.Shared.Return(buffer);
            return;
        }

        lock (Kept[index])
        {
            if (Kept[index].Count < MaxKeptBytesPerSize / buffer.Length)
            {
                Kept[index].Push(buffer);
            }
        }
    }

    private static int? IndexOf(int size) => size <= SocketPipeReader.LargestBuffer
        ? Math.Max(0, BitOperations.Log2((uint)size - 1) + 1 - BitOperations.Log2((uint)SocketPipeReader.SmallestBuffer))
        : null;
}
