namespace Danube.Fast.Wal;

/// <summary>A log in the committer's queues.</summary>
internal sealed class LogCommit(DurableLog log) : CommitWork
{
    public DurableLog Log => log;

    public override bool IsSmall => log.HasLittleToCommit;

    public override void Commit() => log.Commit();
}
