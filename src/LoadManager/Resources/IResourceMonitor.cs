namespace Danube.Fast.LoadManager;

/// <summary>
/// Reads how much of a machine, a container or a process is in use. Rates are of the time since the previous call, so every reader of rates
/// has a monitor of its own or goes through a <see cref="ResourceSampler"/>.
/// Runs on: the sampler's thread (a reading opens files). Shared with: nobody; a monitor is not for two threads at once.
/// </summary>
public interface IResourceMonitor
{
    /// <summary>What is measured and where it is read, in one sentence for the log.</summary>
    string Description { get; }

    /// <summary>Resources that this platform does not offer: never readable, and no fault.</summary>
    IReadOnlyList<ResourceType> Unsupported { get; }

    /// <summary>What it found that the machine or container can take.</summary>
    ResourceCapacity ReadCapacity();

    /// <summary>Reads everything. A resource that cannot be read is null and counted; nothing is thrown for it.</summary>
    ResourceUsage Collect();
}
