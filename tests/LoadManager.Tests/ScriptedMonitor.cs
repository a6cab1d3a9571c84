namespace Danube.Fast.LoadManager.Tests;

/// <summary>A monitor that says what it is told.</summary>
internal sealed class ScriptedMonitor : IResourceMonitor
{
    public string Description => "scripted";

    public IReadOnlyList<ResourceType> Unsupported { get; set; } = [];

    public ResourceUsage Usage { get; set; } = ResourceUsage.Unknown;

    public ResourceCapacity Capacity { get; set; } = ResourceCapacity.Unknown;

    public Action? OnCollect { get; set; }

    public ResourceCapacity ReadCapacity() => Capacity;

    public ResourceUsage Collect()
    {
        OnCollect?.Invoke();
        return Usage;
    }
}
