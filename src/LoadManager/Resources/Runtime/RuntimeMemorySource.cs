namespace Danube.Fast.LoadManager;

/// <summary>Memory as the runtime sees it: the machine's (or container's) load at the last collection, or the process's working set.</summary>
internal sealed class RuntimeMemorySource(ResourceScope scope) : IResourceSource<double>
{
    public string Description => scope == ResourceScope.Process ? "of the process" : "of the machine at the last garbage collection";

    public double? Read()
    {
        GCMemoryInfo info = GC.GetGCMemoryInfo();
        if (info.TotalAvailableMemoryBytes <= 0)
        {
            throw new IOException("The runtime does not say how much memory there is.");
        }

        if (scope == ResourceScope.Process)
        {
            return Math.Min(100, 100.0 * Environment.WorkingSet / info.TotalAvailableMemoryBytes);
        }

        // Zero before the first collection: not known yet.
        return info.MemoryLoadBytes > 0 ? Math.Min(100, 100.0 * info.MemoryLoadBytes / info.TotalAvailableMemoryBytes) : null;
    }
}
