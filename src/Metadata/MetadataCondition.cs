namespace Danube.Fast.Metadata;

/// <summary>What a <see cref="MetadataCondition"/> looks at.</summary>
public enum MetadataField
{
    CreatedRevision = 0,
    Revision = 1,
    Version = 2,
}

/// <summary>A number of a key's entry must be this; a key that does not exist has 0 everywhere.</summary>
/// <param name="Key">The key.</param>
/// <param name="Field">Which number.</param>
/// <param name="Expected">What it must be.</param>
public readonly record struct MetadataCondition(string Key, MetadataField Field, long Expected)
{
    internal bool Holds(MetadataEntry? entry) => Expected == Field switch
    {
        MetadataField.CreatedRevision => entry?.CreatedRevision ?? 0,
        MetadataField.Revision => entry?.Revision ?? 0,
        _ => entry?.Version ?? 0,
    };
}

/// <summary>A put or a delete inside a transaction.</summary>
/// <param name="Kind">Put or delete.</param>
/// <param name="Key">The key.</param>
/// <param name="Value">The value of a put.</param>
/// <param name="LeaseId">The lease of a put; 0 for none.</param>
public readonly record struct MetadataOperation(MetadataChangeKind Kind, string Key, ReadOnlyMemory<byte> Value, long LeaseId);
