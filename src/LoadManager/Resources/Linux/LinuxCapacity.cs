namespace Danube.Fast.LoadManager;

/// <summary>What a Linux machine or container can take, as far as the system says. How fast a disk is, it does not.</summary>
internal sealed class LinuxCapacity(MonitorEnvironment environment, Func<double> cores, Func<ulong> memoryBytes, NetworkSource network)
{
    public ResourceCapacity Read()
    {
        (long? size, long? free) = FileSystem.Space(environment.DataFolder);
        return new ResourceCapacity
        {
            Cores = Known(() => cores()),
            MemoryBytes = (long?)Known(() => memoryBytes()),
            DiskBytes = size,
            FreeDiskBytes = free,
            NetworkBytesPerSecond = network.Capacity(),
        };
    }

    private static double? Known(Func<double> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            return null;
        }
    }
}
