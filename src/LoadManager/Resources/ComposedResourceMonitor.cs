using System.Text;

namespace Danube.Fast.LoadManager;

/// <summary>A monitor put together from one source per resource; a missing source is a resource that the platform does not offer.</summary>
internal sealed class ComposedResourceMonitor : IResourceMonitor
{
    private readonly string _kind;
    private readonly TimeProvider _clock;
    private readonly ResourceMonitorFigures _figures;
    private readonly Func<ResourceCapacity> _capacity;

    public ComposedResourceMonitor(string kind, TimeProvider clock, ResourceMonitorFigures figures, Func<ResourceCapacity> capacity)
    {
        _kind = kind;
        _clock = clock;
        _figures = figures;
        _capacity = capacity;
    }

    public IResourceSource<double>? Cpu { get; init; }
    public IResourceSource<double>? Memory { get; init; }
    public IResourceSource<DiskIoStats>? DiskIo { get; init; }
    public IResourceSource<NetworkIoStats>? NetworkIo { get; init; }

    public string Description
    {
        get
        {
            var text = new StringBuilder(_kind);
            text.Append(": CPU ").Append(Cpu?.Description ?? "not offered");
            text.Append(", memory ").Append(Memory?.Description ?? "not offered");
            text.Append(", disk ").Append(DiskIo?.Description ?? "not offered");
            text.Append(", network ").Append(NetworkIo?.Description ?? "not offered");
            return text.ToString();
        }
    }

    public IReadOnlyList<ResourceType> Unsupported
    {
        get
        {
            object?[] sources = [Cpu, Memory, DiskIo, NetworkIo];
            return [.. ResourceNames.All.Where(r => sources[(int)r] is null)];
        }
    }

    public ResourceCapacity ReadCapacity() => _capacity();

    public ResourceUsage Collect()
    {
        long start = _clock.GetTimestamp();
        var usage = new ResourceUsage
        {
            CpuPercent = Read(Cpu, ResourceType.Cpu),
            MemoryPercent = Read(Memory, ResourceType.Memory),
            DiskIo = Read(DiskIo, ResourceType.DiskIo),
            NetworkIo = Read(NetworkIo, ResourceType.NetworkIo),
        };
        _figures.LatencyMs.RecordShared((long)_clock.GetElapsedTime(start).TotalNanoseconds);
        return usage;
    }

    private T? Read<T>(IResourceSource<T>? source, ResourceType resource)
        where T : struct
    {
        try
        {
            return source?.Read();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException or NotSupportedException)
        {
            _figures.OnError(resource);
            return null;
        }
    }
}
