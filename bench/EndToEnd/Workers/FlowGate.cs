using System.IO.MemoryMappedFiles;

namespace Danube.Fast.Bench.Workers;

/// <summary>
/// Keeps producers from running away from consumers in an unpaced run: one counter of received messages per consumer in a file that both
/// processes map. Without it a faster producer would build a backlog for ever, and the run would measure reads of old data.
/// Runs on: each counter is written by one consumer, read by all producers.
/// </summary>
internal sealed unsafe class FlowGate : IDisposable
{
    public const int MaxConsumers = 64;

    // A counter per 128 bytes: neighbours do not share a cache line.
    private const int Stride = 16;

    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly long* _counters;

    private FlowGate(string path)
    {
        _file = MemoryMappedFile.CreateFromFile(path, FileMode.Open);
        _view = _file.CreateViewAccessor();
        byte* start = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        _counters = (long*)start;
    }

    /// <summary>Messages that all consumers have received.</summary>
    public long Received
    {
        get
        {
            long sum = 0;
            for (int i = 0; i < MaxConsumers; i++)
            {
                sum += Volatile.Read(ref _counters[i * Stride]);
            }

            return sum;
        }
    }

    /// <summary>Makes the file.</summary>
    public static void Create(string path) => File.WriteAllBytes(path, new byte[MaxConsumers * Stride * sizeof(long)]);

    /// <summary>Maps the file; null when the run has none.</summary>
    public static FlowGate? Open(string path) => path.Length == 0 ? null : new FlowGate(path);

    public void SetReceived(int consumer, long messages) => Volatile.Write(ref _counters[consumer * Stride], messages);

    public void Dispose()
    {
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }
}
