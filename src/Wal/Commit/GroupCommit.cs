namespace Danube.Fast.Wal;

/// <summary>The journal's side of the committer: makes many small works durable with one write and one sync.</summary>
internal abstract class GroupCommit
{
    /// <summary>Works that one group may take.</summary>
    public const int MaxWorks = 16_384;

    /// <summary>True while small works may be grouped; false sends all of them to the sync threads.</summary>
    public abstract bool IsOpen { get; }

    /// <summary>
    /// Commits what it can of <paramref name="works"/> and sets each entry that it has finished to null; the others are left for the sync threads
    /// (too large, or the journal cannot take them). Never throws. Runs on: the committer.
    /// </summary>
    public abstract void Run(List<CommitWork?> works);
}
