namespace Danube.Fast.LoadManager;

/// <summary>Resources of a broker that are measured. The values order the arrays of this project; reports carry the names.</summary>
public enum ResourceType
{
    Cpu = 0,
    Memory = 1,
    DiskIo = 2,
    NetworkIo = 3,
}

/// <summary>Names of the resources in reports and metrics.</summary>
public static class ResourceNames
{
    /// <summary>Number of resources.</summary>
    public const int Count = 4;

    private static readonly string[] Reported = ["CPU", "Memory", "DiskIO", "NetworkIO"];
    private static readonly string[] Labels = ["cpu", "memory", "disk_io", "network_io"];

    /// <summary>All resources in the order of their values.</summary>
    public static IReadOnlyList<ResourceType> All { get; } = [ResourceType.Cpu, ResourceType.Memory, ResourceType.DiskIo, ResourceType.NetworkIo];

    /// <summary>The name in a report, for example <c>DiskIO</c>.</summary>
    public static string ReportName(this ResourceType resource) => Reported[(int)resource];

    /// <summary>The value of the label <c>resource</c>, for example <c>disk_io</c>.</summary>
    public static string Label(this ResourceType resource) => Labels[(int)resource];

    /// <summary>The resource of a name in a report.</summary>
    public static bool TryParse(string? name, out ResourceType resource)
    {
        int index = Array.IndexOf(Reported, name);
        resource = (ResourceType)Math.Max(index, 0);
        return index >= 0;
    }
}
