namespace Danube.Fast.Wal;

// The commit journal as part of the directory.
public sealed partial class DataDirectory
{
    private readonly Journal? _journal;
    private readonly JournalCheckpoint? _journalCheckpoint;

    /// <summary>Why the commit journal, and with it the whole directory, takes nothing any more; null while it is good, or when there is none.</summary>
    internal Exception? JournalFailure => _journal?.Failure;

    /// <summary>The file system; null where it cannot be synced as a whole.</summary>
    internal WalVolume? Volume { get; }

    /// <summary>Bytes of the commit journal, 0 without one.</summary>
    public long JournalCapacity => _journal?.Capacity ?? 0;

    /// <summary>Bytes of it that wait for syncs of the files that they belong to.</summary>
    public long JournalUsedBytes => _journal?.UsedBytes ?? 0;

    /// <summary>A group could not be written: nobody knows what the journal holds now, so every log stops. Runs on: the committer, or a checkpoint's thread.</summary>
    internal void OnJournalFailed(Exception cause)
    {
        Report(WalEventKind.JournalFailed, 0, $"The commit journal failed: nothing more is acknowledged until the broker is restarted on a good disk. {cause.Message}", cause);
        foreach (KeyValuePair<ulong, DurableLog> log in _logs)
        {
            PutMarker(log.Key, log.Value.DurableSoFar);
        }

        // The first of them syncs the markers of all, and writes its own once more only if its durable end has moved since.
        foreach (KeyValuePair<ulong, DurableLog> log in _logs)
        {
            log.Value.FailFrom(cause);
        }
    }

    // The end of a marker never falls: a log that was not opened yet knows nothing about its own.
    private void PutMarker(ulong topicId, long durableEnd)
    {
        long? known = Store.GetPoison(topicId);
        if (known is null || known < durableEnd)
        {
            Store.PutPoison(topicId, durableEnd);
        }
    }

    /// <summary>
    /// A checkpoint could not sync a file: its log stops, also when nobody has opened it since the start. Another log that has its id by now goes on.
    /// Runs on: a checkpoint's thread.
    /// </summary>
    internal void OnFileFailed(DirtyFile file, Exception cause)
    {
        if (_logs.TryGetValue(file.TopicId, out DurableLog? log))
        {
            if (file.Generation >= log.FirstGeneration)
            {
                log.FailFrom(cause);
            }
        }
        else if (Options.FileSystem.DirectoryExists(PathOf(file.TopicId)) && !IsSucceeded(file))
        {
            MarkPoisoned(file.TopicId, Store.TryGetLog(file.TopicId, out LogState state) ? state.DurableEnd : 0);
        }
    }

    /// <summary>The log that the file belonged to was put aside or deleted, and another one has its id now: what becomes of the file concerns nobody.</summary>
    internal bool IsSucceeded(DirtyFile file) => file.Generation < Store.FirstGenerationOf(file.TopicId);

    // Before many logs are closed: one sync for all instead of one each. What it cannot sync, the close of each log tries again.
    private void SyncMany()
    {
        if (_logs.Count > VolumeSync.Above)
        {
            _journalCheckpoint?.RunAll();
        }
    }

    // True when the next start needs the journal.
    private bool CloseJournal()
    {
        if (_journal is null)
        {
            return false;
        }

        bool needed = _journal.Failure is not null;
        if (!needed)
        {
            _journalCheckpoint!.RunAll();
            needed = _journalCheckpoint.IsKeeping || _journal.UsedBytes > 0;
        }

        _journal.Dispose();
        return needed;
    }
}
