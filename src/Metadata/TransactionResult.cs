namespace Danube.Fast.Metadata;

/// <summary>How a transaction ended.</summary>
public enum MetadataOutcome
{
    /// <summary>All operations were made.</summary>
    Done = 0,

    /// <summary>Nothing was made: a condition did not hold, or a lease of it is gone.</summary>
    Refused = 1,

    /// <summary>It may have been made, or be made still: the answer did not arrive.</summary>
    Unknown = 2,
}

/// <summary>Answer to a transaction.</summary>
public sealed class TransactionResult
{
    private readonly IReadOnlyList<MetadataEntry> _entries;

    private TransactionResult(MetadataOutcome outcome, long revision, IReadOnlyList<MetadataEntry> entries, string reason, bool leaseIsGone)
    {
        Outcome = outcome;
        Revision = revision;
        Reason = reason;
        LeaseIsGone = leaseIsGone;
        _entries = entries;
    }

    /// <summary>Done, refused or unknown.</summary>
    public MetadataOutcome Outcome { get; }

    /// <summary>True when all operations were made.</summary>
    public bool IsDone => Outcome == MetadataOutcome.Done;

    /// <summary>Done: the revision made (the current one when nothing changed). Refused: the revision at which it was refused. Unknown: 0.</summary>
    public long Revision { get; }

    /// <summary>Refused: what was found under the keys of the conditions; keys that do not exist are not in it.</summary>
    public IReadOnlyList<MetadataEntry> Entries => _entries;

    /// <summary>Refused because a lease that a put names does not exist; the conditions may have held.</summary>
    public bool LeaseIsGone { get; }

    /// <summary>For people: why the outcome is unknown or refused; "" when done.</summary>
    public string Reason { get; }

    /// <summary>Refused: the entry found under a key of the conditions; null when the key did not exist.</summary>
    public MetadataEntry? Found(string key) => _entries.FirstOrDefault(e => string.Equals(e.Key, key, StringComparison.Ordinal));

    /// <summary>All operations were made.</summary>
    public static TransactionResult Done(long revision) => new(MetadataOutcome.Done, revision, [], "", false);

    /// <summary>A condition did not hold.</summary>
    public static TransactionResult Refused(long revision, IReadOnlyList<MetadataEntry> entries) =>
        new(MetadataOutcome.Refused, revision, entries, "A condition did not hold.", false);

    /// <summary>A lease that a put names does not exist.</summary>
    public static TransactionResult WithoutLease(long revision) =>
        new(MetadataOutcome.Refused, revision, [], "A lease that a put names does not exist.", true);

    /// <summary>The answer did not arrive.</summary>
    public static TransactionResult Unknown(string reason) => new(MetadataOutcome.Unknown, 0, [], reason, false);
}
