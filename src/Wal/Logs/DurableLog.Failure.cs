namespace Danube.Fast.Wal;

// The first failed write or sync poisons the log: a durable marker elsewhere, no acknowledgement any more, reads go on.
internal sealed partial class DurableLog
{
    private Exception? _failure;
    private bool _failureReported;
    private bool _poisonFound;

    /// <summary>The durable end that is known now, without opening the log for it.</summary>
    internal long DurableSoFar => Volatile.Read(ref _durable);

    /// <summary>Poisons the log. Only notes the cause; marker and notification are the committer's, because the caller may hold the append lock.</summary>
    private void Fail(Exception cause)
    {
        if (Interlocked.CompareExchange(ref _failure, cause, null) is null)
        {
            Interlocked.Increment(ref _directory.Counters.PoisonCount);
            _directory.Committer.Request(CommitWork);
            CompleteRoomWaiters();
        }
    }

    // Under _commitLock.
    private void ReportFailure()
    {
        if (_failureReported || IsDeleted)
        {
            return;
        }

        _failureReported = true;
        Exception cause = _failure!;
        bool marked = _directory.MarkPoisoned(TopicId, Volatile.Read(ref _durable));
        string marker = marked ? "a marker is on the disk" : "the marker could not be written either";
        _directory.Report(WalEventKind.Poisoned, TopicId, $"Nothing more is acknowledged from this log ({marker}); restart the broker once the disk is good: {cause.Message}", cause);
        Observer?.OnFailed(this, cause);
    }

    // Under _commitLock, after the first sync of everything that was read from the disk again.
    private void ClearPoison()
    {
        if (_poisonFound)
        {
            _poisonFound = false;
            _directory.Store.RemovePoison(TopicId);
            _directory.Report(WalEventKind.Unpoisoned, TopicId, "The log was read from the disk again and synced; it is open for publishing.");
        }
    }
}
