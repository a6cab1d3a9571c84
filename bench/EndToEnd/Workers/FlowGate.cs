using System.IO.MemoryMappedFiles;

namespace Danube.Fast.Bench.Workers;

/// <summary>
/// Keeps producers from running away from consumers in an unpaced run: a counter per producer and per consumer in a file that all processes map. Without it a faster
/// producer would build a backlog for ever, and the run would measure reads of old data.
/// Runs on: each counter is written by one producer or consumer, read by all producers.
/// </summary>
internal sealed unsafe class FlowGate : IDisposable
{
    /// <summary>Producers and consumers together.</summary>
    public const int MaxClients = 1024;

    // A counter per 128 bytes: neighbours do not share a cache line. The first one holds the shape.
    private const int Stride = 16;

    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly long* _counters;
    private readonly int _producers, _consumers, _copies;

    private FlowGate(string path)
    {
        _file = MemoryMappedFile.CreateFromFile(path, FileMode.Open);
        _view = _file.CreateViewAccessor();
        byte* start = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        _counters = (long*)start;
        _producers = (int)_counters[0];
        _consumers = (int)_counters[1];
        _copies = (int)_counters[2];
    }

    /// <summary>Messages that were posted and that the consumers have, on average over the subscriptions, not received.</summary>
    public long Ahead => Sum(0, _producers) - Received;

    /// <summary>Messages that the consumers have received, on average over the subscriptions.</summary>
    public long Received => Sum(_producers, _consumers) / _copies;

    /// <summary>Makes the file for one producer and one consumer.</summary>
    public static void Create(string path) => Create(path, 1, 1, 1);

    /// <summary>Makes the file.</summary>
    /// <param name="path">Where.</param>
    /// <param name="producers">All producers of the run.</param>
    /// <param name="consumers">All consumers of the run.</param>
    /// <param name="copies">How often each message is delivered: subscriptions of a topic.</param>
    public static void Create(string path, int producers, int consumers, int copies)
    {
        byte[] bytes = new byte[(1 + producers + consumers) * Stride * sizeof(long)];
        long[] shape = [producers, consumers, Math.Max(1, copies)];
        Buffer.BlockCopy(shape, 0, bytes, 0, shape.Length * sizeof(long));
        File.WriteAllBytes(path, bytes);
    }

    /// <summary>Maps the file; null when the run has none.</summary>
    public static FlowGate? Open(string path) => path.Length == 0 ? null : new FlowGate(path);

    public void SetPosted(int producer, long messages) => Volatile.Write(ref _counters[(1 + producer) * Stride], messages);

    public void SetReceived(int consumer, long messages) => Volatile.Write(ref _counters[(1 + _producers + consumer) * Stride], messages);

    public void Dispose()
    {
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }

    private long Sum(int first, int count)
    {
        long sum = 0;
        for (int i = first; i < first + count; i++)
        {
            sum += Volatile.Read(ref _counters[(1 + i) * Stride]);
        }

        return sum;
    }
}
