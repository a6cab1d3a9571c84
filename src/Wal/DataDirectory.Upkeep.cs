namespace Danube.Fast.Wal;

// The janitor's round: everything that is due by time. Runs on: the janitor, or a test that steps it.
public sealed partial class DataDirectory
{
    private const int StateIntervalMs = 500, OrphanIntervalMs = 24 * 60 * 60 * 1000;
    private long _nextCursorMs;
    private long _nextOsMs;
    private long _nextCheckpointMs;
    private long _nextStateMs;
    private long _nextRetentionMs;
    private long _nextOrphanMs;

    /// <summary>Does what is due at a moment. An error is reported and tried again in a later round.</summary>
    internal void Tick(long nowMs)
    {
        ReapMaps();
        if (IsDue(ref _nextOsMs, nowMs, Options.OsSyncIntervalMs))
        {
            SyncOsLogs();
        }

        if (IsDue(ref _nextStateMs, nowMs, StateIntervalMs))
        {
            CheckSpace();
            ReserveGenerations();
            bool retention = IsDue(ref _nextRetentionMs, nowMs, Options.RetentionIntervalMs);
            bool areHandlesShort = Options.FileSystem.AreHandlesShort;
            if (areHandlesShort)
            {
                RequestCheckpoint(); // Segments that are full stay open until it has synced them.
            }

            foreach (KeyValuePair<ulong, DurableLog> log in _logs)
            {
                Upkeep(log.Value, nowMs, retention, areHandlesShort);
            }
        }

        if (IsDue(ref _nextOrphanMs, nowMs, OrphanIntervalMs))
        {
            RemoveOldOrphans();
        }

        if (IsDue(ref _nextCheckpointMs, nowMs, Options.CheckpointIntervalMs))
        {
            RequestCheckpoint();
        }

        if (IsDue(ref _nextCursorMs, nowMs, Options.CursorSyncIntervalMs))
        {
            _cursors.Flush(); // Last, so that the durable ends noted in this round go with it.
        }
    }

    /// <summary>Has a sync thread sync the files whose bytes only the journal holds durably; they are closed when nobody needs them any more.</summary>
    internal void RequestCheckpoint() => _journalCheckpoint?.RequestRound();

    private void Upkeep(DurableLog log, long nowMs, bool retention, bool areHandlesShort)
    {
        try
        {
            log.CommitTick();
            log.RoomTick();
            log.StateTick();
            log.SnapshotTick();
            log.IdleTick(nowMs, areHandlesShort);
            log.DeleteTick();
            log.MemoryTick();
            if (retention)
            {
                log.ApplyRetention();
            }
        }
        catch (Exception error) when (IsTransient(error))
        {
            ReportUpkeep(log.TopicId, error);
        }
    }

    /// <summary>Gives up what was asked for; after an error that may pass a later round tries again. Runs on: the cleaner.</summary>
    internal void Delete(DurableLog log)
    {
        try
        {
            log.DeleteTick();
        }
        catch (Exception error) when (IsTransient(error))
        {
            ReportUpkeep(log.TopicId, error);
        }
    }

    private void RemoveOldOrphans()
    {
        try
        {
            RemoveOrphans(TimeSpan.FromDays(OrphanDays));
        }
        catch (Exception error) when (IsTransient(error))
        {
            ReportUpkeep(0, error);
        }
    }

    private void ReserveGenerations()
    {
        try
        {
            Checkpoint.ReserveAhead();
        }
        catch (IOException error)
        {
            ReportUpkeep(0, error);
        }
    }

    private static bool IsDue(ref long nextMs, long nowMs, int intervalMs)
    {
        if (nowMs < nextMs)
        {
            return false;
        }

        nextMs = nowMs + intervalMs;
        return true;
    }

    private void SyncOsLogs()
    {
        DurableLog? log = Interlocked.Exchange(ref _osLogs, null);
        while (log is not null)
        {
            DurableLog? next = log.NextOs; // Read first: from BeginOsSync on the log may be queued again.
            log.NextOs = null;
            log.BeginOsSync();
            log = next;
        }
    }

    private static bool IsTransient(Exception error) => error is IOException or UnauthorizedAccessException or ObjectDisposedException;

    private void ReportUpkeep(ulong topicId, Exception error) =>
        Report(WalEventKind.BackgroundError, topicId, $"Upkeep failed and will be tried again: {error.Message}", error);

    private void CheckSpace()
    {
        if (Options.LowSpaceBytes <= 0)
        {
            return;
        }

        try
        {
            (long free, long total) = Options.FileSystem.Space(RootPath);
            bool low = free < Math.Min(Options.LowSpaceBytes, (long)(total * Options.LowSpaceFraction));
            if (low != _isDiskLow)
            {
                Volatile.Write(ref _isDiskLow, low);
                Report(low ? WalEventKind.DiskLow : WalEventKind.DiskRecovered, 0, low
                    ? $"Only {free} bytes are free: publishes are refused until space is made; reads, acknowledgements and deletes go on."
                    : $"{free} bytes are free again: publishes are accepted.");
            }
        }
        catch (Exception error) when (IsTransient(error) || error is ArgumentException)
        {
            Report(WalEventKind.BackgroundError, 0, $"The free space cannot be read: {error.Message}", error);
        }
    }

    // The files of a deleted topic.
    private sealed class DirectoryRemoval(DataDirectory directory, string path) : IBackgroundWork
    {
        public void Run()
        {
            WalFileSystem files = directory.Options.FileSystem;
            try
            {
                foreach (string name in files.List(path))
                {
                    files.Unlink(Path.Combine(path, name));
                }

                files.RemoveDirectory(path);
            }
            catch (Exception error) when (IsTransient(error))
            {
                directory.ReportUpkeep(0, error);
            }
        }
    }
}
