namespace Danube.Fast.Metadata;

/// <summary>A key with its value.</summary>
/// <param name="Key">The key.</param>
/// <param name="Value">The value; never changes once handed out.</param>
/// <param name="Revision">Revision of the change that wrote this value; what compare-and-set compares.</param>
/// <param name="CreatedRevision">Revision of the change that made the key (again, after a delete).</param>
/// <param name="Version">How often the key was written since it was made, from 1.</param>
/// <param name="LeaseId">The lease that the key ends with; 0 for none.</param>
public sealed record MetadataEntry(
    string Key, ReadOnlyMemory<byte> Value, long Revision, long CreatedRevision, long Version, long LeaseId = 0);

/// <summary>Entries as they stood together at one revision.</summary>
/// <param name="Revision">Revision of the store that the picture shows.</param>
/// <param name="Entries">In ordinal order of the keys.</param>
public sealed record MetadataListing(long Revision, IReadOnlyList<MetadataEntry> Entries);

/// <summary>A lease as it was granted.</summary>
/// <param name="Id">Its number, never 0.</param>
/// <param name="TimeToLive">How long it lives without being renewed.</param>
public readonly record struct MetadataLease(long Id, TimeSpan TimeToLive);
