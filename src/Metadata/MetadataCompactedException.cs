namespace Danube.Fast.Metadata;

/// <summary>A watch asked for changes that the store has forgotten. Remedy: list again, watch from the listing's revision + 1.</summary>
public sealed class MetadataCompactedException(long requestedRevision, long firstRevision)
    : Exception($"Changes from revision {requestedRevision} on are gone, the first one kept is {firstRevision}: list again and watch from there.")
{
    /// <summary>What the watch asked for.</summary>
    public long RequestedRevision { get; } = requestedRevision;

    /// <summary>First revision that a watch can still start from.</summary>
    public long FirstRevision { get; } = firstRevision;
}
