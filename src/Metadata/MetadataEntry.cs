namespace Danube.Fast.Metadata;

/// <summary>A key with its value.</summary>
/// <param name="Key">The key.</param>
/// <param name="Value">The value; never changes once handed out.</param>
/// <param name="Revision">Revision of the change that wrote this value; what compare-and-set compares.</param>
/// <param name="CreatedRevision">Revision of the change that made the key (again, after a delete).</param>
public sealed record MetadataEntry(string Key, ReadOnlyMemory<byte> Value, long Revision, long CreatedRevision);

/// <summary>Entries as they stood together at one revision.</summary>
/// <param name="Revision">Revision of the store that the picture shows.</param>
/// <param name="Entries">In ordinal order of the keys.</param>
public sealed record MetadataListing(long Revision, IReadOnlyList<MetadataEntry> Entries);

/// <summary>Outcome of a put or a delete.</summary>
/// <param name="Succeeded">False when the expected revision was not the one found; nothing was changed then.</param>
/// <param name="Revision">Revision of the change, or the current revision of the store when nothing was changed.</param>
/// <param name="Current">Without success: the entry that was found instead, null when the key does not exist.</param>
public readonly record struct MetadataUpdate(bool Succeeded, long Revision, MetadataEntry? Current = null);

/// <summary>Kinds of <see cref="MetadataChange"/>.</summary>
public enum MetadataChangeKind
{
    Put = 0,
    Delete = 1,
}

/// <summary>One change that a watch saw.</summary>
/// <param name="Kind">Put or delete.</param>
/// <param name="Key">The key.</param>
/// <param name="Value">The new value; empty for a delete.</param>
/// <param name="Revision">Revision of the change.</param>
public sealed record MetadataChange(MetadataChangeKind Kind, string Key, ReadOnlyMemory<byte> Value, long Revision);
