namespace Danube.Fast.Wal;

/// <summary>
/// Something that is synced when it has changed. At most one thread runs it at a time, and a request that comes while it runs makes it run once
/// more: that is how commits group by themselves, without a timer.
/// No wake-up is lost: a requester changes its data, then (full fence) looks at the state; the worker changes the state to running (full
/// fence), then looks at the data. So either the requester sees "running" and asks for another round, or the worker sees the data.
/// </summary>
internal abstract class CommitWork
{
    internal const int Idle = 0, Queued = 1, Running = 2, RunningAgain = 3;

    internal int State;

    /// <summary>Link in the queue of its lane.</summary>
    internal CommitWork? Next;

    /// <summary>True when what waits is little enough for the journal's next group. A hint: the group looks again. Runs on: any thread.</summary>
    public virtual bool IsSmall => false;

    /// <summary>Makes what is there now durable. Never throws: an error is part of the owner's state.</summary>
    public abstract void Commit();
}
