namespace Danube.Fast.Metadata;

/// <summary>Kinds of <see cref="MetadataChange"/>.</summary>
public enum MetadataChangeKind
{
    Put = 0,
    Delete = 1,
}

/// <summary>What happened to one key.</summary>
/// <param name="Kind">Put or delete.</param>
/// <param name="Key">The key.</param>
/// <param name="Entry">The new entry; null for a delete.</param>
public readonly record struct MetadataChange(MetadataChangeKind Kind, string Key, MetadataEntry? Entry)
{
    /// <summary>The change that made this entry.</summary>
    public static MetadataChange Put(MetadataEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        return new MetadataChange(MetadataChangeKind.Put, entry.Key, entry);
    }

    /// <summary>The removal of a key.</summary>
    public static MetadataChange Delete(string key) => new(MetadataChangeKind.Delete, key, null);
}

/// <summary>Everything that one revision changed among the keys that are looked at.</summary>
/// <param name="Revision">The revision.</param>
/// <param name="Changes">At least one change; every key at most once.</param>
public sealed record MetadataRevision(long Revision, IReadOnlyList<MetadataChange> Changes);
