using System.Collections.Immutable;

namespace Danube.Fast.Metadata;

/// <summary>Entries as they stood together at one revision; never changes.</summary>
/// <param name="Revision">Revision of the store that the picture shows.</param>
/// <param name="Entries">By key.</param>
public sealed record MetadataSnapshot(long Revision, ImmutableDictionary<string, MetadataEntry> Entries)
{
    internal static readonly MetadataSnapshot Empty =
        new(0, ImmutableDictionary.Create<string, MetadataEntry>(StringComparer.Ordinal));

    /// <summary>The entry of a key, or null.</summary>
    public MetadataEntry? Find(string key) => Entries.GetValueOrDefault(key);

    /// <summary>This picture after a later revision.</summary>
    internal MetadataSnapshot After(MetadataRevision revision)
    {
        ImmutableDictionary<string, MetadataEntry>.Builder entries = Entries.ToBuilder();
        foreach (MetadataChange change in revision.Changes)
        {
            if (change.Entry is null)
            {
                entries.Remove(change.Key);
            }
            else
            {
                entries[change.Key] = change.Entry;
            }
        }

        return new MetadataSnapshot(revision.Revision, entries.ToImmutable());
    }

    /// <summary>What must happen to this picture to become the listing: keys that are missing there become deletes.</summary>
    internal List<MetadataChange> ChangesTo(MetadataListing listing)
    {
        var changes = new List<MetadataChange>();
        var listed = new HashSet<string>(StringComparer.Ordinal);
        foreach (MetadataEntry entry in listing.Entries)
        {
            listed.Add(entry.Key);
            if (!IsSame(Find(entry.Key), entry))
            {
                changes.Add(MetadataChange.Put(entry));
            }
        }

        changes.AddRange(Entries.Keys.Where(k => !listed.Contains(k)).Select(MetadataChange.Delete));
        return changes;
    }

    // The value too: a store that was restored from an older copy uses its revisions a second time.
    private static bool IsSame(MetadataEntry? mine, MetadataEntry theirs) => mine is not null
        && mine.Revision == theirs.Revision && mine.CreatedRevision == theirs.CreatedRevision
        && mine.LeaseId == theirs.LeaseId && mine.Value.Span.SequenceEqual(theirs.Value.Span);
}
