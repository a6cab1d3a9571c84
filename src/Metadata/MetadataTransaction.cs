namespace Danube.Fast.Metadata;

/// <summary>
/// Conditions and operations for <see cref="IMetadataStore.CommitAsync"/>: all operations happen in one revision when all
/// conditions hold, else none does. Limits of a store are checked while it is built. Not for use by two threads at once.
/// </summary>
public sealed class MetadataTransaction
{
    /// <summary>Most conditions, and most operations, of one transaction.</summary>
    public const int MaxOperations = 128;

    /// <summary>Most bytes of keys and values, each condition and operation counted with <see cref="OverheadBytes"/> more.</summary>
    public const int MaxBytes = 1536 * 1024;

    /// <summary>What is counted for a condition or an operation beside key and value.</summary>
    public const int OverheadBytes = 256;

    private readonly List<MetadataCondition> _conditions = [];
    private readonly List<MetadataOperation> _operations = [];
    private readonly HashSet<string> _written = new(StringComparer.Ordinal);

    /// <summary>What must hold.</summary>
    public IReadOnlyList<MetadataCondition> Conditions => _conditions;

    /// <summary>What is done then; every key at most once.</summary>
    public IReadOnlyList<MetadataOperation> Operations => _operations;

    /// <summary>Size as counted against <see cref="MaxBytes"/>.</summary>
    public int SizeBytes { get; private set; }

    /// <summary>The key does not exist.</summary>
    public MetadataTransaction IfAbsent(string key) => If(key, MetadataField.CreatedRevision, 0);

    /// <summary>The key was last written by this revision; 0: it does not exist.</summary>
    public MetadataTransaction IfRevision(string key, long revision) => If(key, MetadataField.Revision, revision);

    /// <summary>The key was made by this revision; 0: it does not exist.</summary>
    public MetadataTransaction IfCreated(string key, long revision) => If(key, MetadataField.CreatedRevision, revision);

    /// <summary>The key was written this often; 0: it does not exist.</summary>
    public MetadataTransaction IfVersion(string key, long version) => If(key, MetadataField.Version, version);

    /// <summary>Writes a value (copied). Without a lease the key lives until it is deleted, whatever lease it had before.</summary>
    public MetadataTransaction Put(string key, ReadOnlyMemory<byte> value, long leaseId = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(leaseId);
        MetadataKey.CheckValue(value);
        return Add(new MetadataOperation(MetadataChangeKind.Put, key, value.ToArray(), leaseId));
    }

    /// <summary>Removes a key; one that does not exist is no error.</summary>
    public MetadataTransaction Delete(string key) => Add(new MetadataOperation(MetadataChangeKind.Delete, key, default, 0));

    private MetadataTransaction If(string key, MetadataField field, long expected)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(expected);
        Count(key, 0, _conditions.Count);
        _conditions.Add(new MetadataCondition(key, field, expected));
        return this;
    }

    private MetadataTransaction Add(MetadataOperation operation)
    {
        if (_written.Contains(operation.Key))
        {
            throw new ArgumentException($"A transaction writes a key once, '{operation.Key}' is in it already.");
        }

        Count(operation.Key, operation.Value.Length, _operations.Count);
        _written.Add(operation.Key);
        _operations.Add(operation);
        return this;
    }

    private void Count(string key, int valueBytes, int before)
    {
        int size = SizeBytes + MetadataKey.Encode(key).Length + valueBytes + OverheadBytes;
        if (before == MaxOperations)
        {
            throw new ArgumentException($"A transaction has at most {MaxOperations} conditions and as many operations.");
        }

        SizeBytes = size <= MaxBytes
            ? size
            : throw new ArgumentException($"A transaction has at most {MaxBytes} bytes, this one would have {size}.");
    }
}
