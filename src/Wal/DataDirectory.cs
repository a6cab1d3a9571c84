using System.Collections.Concurrent;
using System.Globalization;
using Danube.Fast.Core;

namespace Danube.Fast.Wal;

/// <summary>
/// All durable logs and cursors of a broker: one directory, one lock, one committer.
/// Parts by role: Opening, Services (what logs use), Upkeep (the janitor's round), Orphans (logs that come and go with owners).
/// Runs on: any thread; it owns the committer, the allocator, the cold readers and the janitor.
/// </summary>
public sealed partial class DataDirectory : LogStore, IDisposable
{
    private readonly IDisposable _lockFile;
    private readonly string _topicsPath;
    private readonly ConcurrentDictionary<ulong, DurableLog> _logs = new();
    private readonly DurableCursorStore _cursors;
    private readonly Janitor? _janitor;
    private readonly bool _wasClean;
    private int _disposed;

    /// <summary>Absolute path.</summary>
    public string RootPath { get; }

    public WalOptions Options { get; }

    public WalCounters Counters { get; }

    /// <summary>True when the last process that used the directory closed it.</summary>
    public bool WasClosedCleanly => _wasClean;

    /// <summary>State for health checks and the admin API.</summary>
    public WalHealth Health
    {
        get
        {
            DurableLog[] logs = [.. _logs.Values];
            return new WalHealth(
                HasBlocked(AppendStatus.DiskFull),
                IsDiskLow,
                HasBlocked(AppendStatus.OutOfHandles),
                [.. logs.Where(l => !l.IsClosed && l.Failure is not null).Select(l => l.TopicId)],
                [.. logs.SelectMany(l => l.Damages.Select(d => new DamagedRange(l.TopicId, d.From, d.To)))],
                _cursors.Failure,
                JournalFailure);
        }
    }

    public override CursorStore Cursors => _cursors;

    /// <summary>Creates the log of a new topic; its directory is durable when this returns.</summary>
    /// <exception cref="IOException">The directory cannot be created or synced.</exception>
    public override TopicLog Create(ulong topicId, DurabilityClass durability, LogRetention retention)
    {
        Options.FileSystem.CreateDirectory(PathOf(topicId));
        Options.FileSystem.SyncDirectory(_topicsPath);
        return Open(topicId, durability, retention);
    }

    /// <summary>
    /// Opens the log of a known topic. Returns at once: after a clean stop nothing is read, after an unclean one a background reader scans, and
    /// whoever asks for the log's state first waits for it.
    /// </summary>
    /// <exception cref="InvalidOperationException">The log is open already.</exception>
    public override TopicLog Open(ulong topicId, DurabilityClass durability, LogRetention retention)
    {
        ObjectDisposedException.ThrowIf(_disposed != 0, this);
        if (durability == DurabilityClass.Memory)
        {
            throw new ArgumentException("Logs of memory topics are not kept on disk.", nameof(durability));
        }

        var log = new DurableLog(this, topicId, durability, retention, PathOf(topicId));
        if (!_logs.TryAdd(topicId, log))
        {
            throw new InvalidOperationException($"The log of topic {topicId} is open already.");
        }

        if (JournalFailure is { } failure)
        {
            log.FailFrom(failure);
        }

        if (!_wasClean)
        {
            log.PlanOpening();
        }

        return log;
    }

    /// <summary>Closes and deletes a log. Its directory is renamed durably before this returns; the files go in the background.</summary>
    public override void Delete(ulong topicId)
    {
        string name = string.Create(CultureInfo.InvariantCulture, $"{DeletedPrefix}{topicId}-{Checkpoint.Incarnation}-{NextFileNumber()}");
        if (MoveAway(topicId, () => Path.Combine(_topicsPath, name)) is { } gone)
        {
            Cleaner.Enqueue(new DirectoryRemoval(this, gone));
        }
    }

    /// <summary>Closes all logs: syncs them, writes producer snapshots and ends, the clean checkpoint last.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        _janitor?.Dispose();
        SyncMany();
        foreach (DurableLog log in _logs.Values)
        {
            log.Dispose();
        }

        Allocator.Dispose();
        Readers.Dispose();
        Cleaner.Dispose();
        Committer.Dispose();
        bool kept = CloseJournal();
        CloseStores(kept);
        Volume?.Dispose();
        ReapMaps();
        _lockFile.Dispose();
    }

    private string PathOf(ulong topicId) => Path.Combine(_topicsPath, topicId.ToString(CultureInfo.InvariantCulture));

    // Without the flag the next open scans: that is the answer to any error here.
    private void CloseStores(bool isJournalNeeded)
    {
        try
        {
            Store.PutStop(Checkpoint.Incarnation);
            Store.Records.Sync();
            Checkpoint.SetFlags(_isSuspect ? CheckpointFlags.Suspect : isJournalNeeded ? CheckpointFlags.None : CheckpointFlags.Clean);
        }
        catch (Exception error) when (IsTransient(error))
        {
            Report(WalEventKind.BackgroundError, 0, $"The data directory could not be closed cleanly; the next start will scan it: {error.Message}", error);
        }

        Store.Records.Dispose();
        Checkpoint.Dispose();
    }
}
