using System.Globalization;

namespace Danube.Fast.Wal;

// Taking a directory over.
public sealed partial class DataDirectory
{
    internal const string LockName = "LOCK", CheckpointName = "checkpoint", CursorLogName = "cursors.log", TopicsName = "topics", DeletedPrefix = "deleted-";

    // A lost checkpoint says nothing about the generations in use: frames may be ahead of their segment's header by one per open.
    private const uint LostCheckpointLeap = 1 << 24;

    private DataDirectory(
        string path, WalOptions options, IDisposable lockFile, WalVolume? volume, Checkpoint checkpoint, StateStore store, JournalOpening journal, WalCounters counters,
        bool wasClean)
    {
        RootPath = path;
        Options = options;
        Counters = counters;
        _lockFile = lockFile;
        _topicsPath = Path.Combine(path, TopicsName);
        _wasClean = wasClean;
        Checkpoint = checkpoint;
        Store = store;
        Volume = volume;
        _journal = journal.Take();
        _journalCheckpoint = _journal is null ? null : new JournalCheckpoint(_journal, this);
        GroupCommit? group = _journal is null ? null : new JournalGroup(_journal, _journalCheckpoint!, this);
        Committer = new Committer(group, Volume is null ? null : new VolumeSync(Volume, counters), options.SyncThreads, options.StartThreads);
        WriteBehind = new WriteBehind(Committer, _journal);
        Allocator = new BackgroundQueue("danube-allocator", 1, options.StartThreads);
        ColdPacer = new ColdReadPacer(Counters, options.StartThreads ? options.ColdReadPercent : 100);
        int readers = Math.Max(1, options.ColdReaders);
        Readers = new BackgroundQueue("danube-reader", readers + 1, options.StartThreads, maxLong: readers);
        Cleaner = new BackgroundQueue("danube-cleaner", 1, options.StartThreads);
        _cursors = new DurableCursorStore(store, Committer);
        _startTimestamp = options.Time.GetTimestamp();
        CheckSpace();
        RemoveDeleted();
        _janitor = options.StartThreads ? new Janitor(this) : null;
    }

    /// <summary>Creates or opens a data directory: locks it, reads the checkpoint and the cursor log. Logs are opened one by one.</summary>
    /// <exception cref="DataDirectoryLockedException">Another process uses it.</exception>
    /// <exception cref="IOException">It cannot be read or written.</exception>
    public static DataDirectory Open(string path, WalOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        path = Path.GetFullPath(path);
        WalFileSystem files = options.FileSystem;
        CreateDirectories(files, path);
        IDisposable lockFile = files.Lock(Path.Combine(path, LockName));
        WalVolume? volume = null;
        Checkpoint? checkpoint = null;
        RecordLog? records = null;
        JournalOpening? journal = null;
        try
        {
            volume = files.OpenVolume(Path.Combine(path, TopicsName)); // Which may be another one: a link, or a disk of its own.
            checkpoint = Checkpoint.Open(Path.Combine(path, CheckpointName), files, options.Time);
            records = RecordLog.Open(Path.Combine(path, CursorLogName), files);
            var store = new StateStore(records);
            files.SyncDirectory(path);
            var counters = new WalCounters();
            journal = new JournalOpening(path, options, checkpoint, store, counters, volume);
            bool wasClean = TakeOver(options, path, checkpoint, store, journal);
            return new DataDirectory(path, options, lockFile, volume, checkpoint, store, journal, counters, wasClean);
        }
        catch
        {
            journal?.Dispose();
            records?.Dispose();
            checkpoint?.Dispose();
            volume?.Dispose();
            lockFile.Dispose();
            throw;
        }
    }

    private static void CreateDirectories(WalFileSystem files, string path)
    {
        if (!files.DirectoryExists(path))
        {
            files.CreateDirectory(path);
            if (Path.GetDirectoryName(path) is { } parent && files.DirectoryExists(parent))
            {
                files.SyncDirectory(parent);
            }
        }

        files.CreateDirectory(Path.Combine(path, TopicsName));
        files.SyncDirectory(path);
    }

    // After this the directory counts as unclean until it is closed. True when the last process closed it.
    private static bool TakeOver(WalOptions options, string path, Checkpoint checkpoint, StateStore store, JournalOpening journal)
    {
        WalFileSystem files = options.FileSystem;
        string topics = Path.Combine(path, TopicsName);
        bool isClean = checkpoint.FoundFlags == CheckpointFlags.Clean && HasAllRecords(checkpoint, store);
        ReportLostRecords(options, topics, checkpoint, store);
        if (!isClean)
        {
            store.ForgetCleanStops();
        }

        if ((checkpoint.FoundFlags & CheckpointFlags.Suspect) != 0)
        {
            foreach (ulong topicId in TopicIds(files, topics))
            {
                store.PutPoison(topicId, store.TryGetLog(topicId, out LogState state) ? state.DurableEnd : 0);
            }
        }

        journal.Run();
        store.Records.Sync();
        checkpoint.Begin(checkpoint.IsLost ? HighestGeneration(files, topics, store) : 0, journal.HighestIncarnation, journal.Tail);
        return isClean;
    }

    // Of two clean stops the records of the first may be left: they must not be taken for those of the second.
    private static bool HasAllRecords(Checkpoint checkpoint, StateStore store) =>
        store.Records.DamagedBytes == 0 && store.StoppedIncarnation == checkpoint.Incarnation;

    private static void ReportLostRecords(WalOptions options, string topics, Checkpoint checkpoint, StateStore store)
    {
        const string Loss = "Logs are scanned; cursors may be older and log starts lower than they were.";
        if (store.Records.DamagedBytes > 0)
        {
            options.OnEvent?.Invoke(new WalEvent(
                WalEventKind.CursorsDamaged, 0, $"{store.Records.DamagedBytes} bytes of {CursorLogName} cannot be read although they were on the disk. {Loss}"));
        }
        else if ((checkpoint.FoundFlags & CheckpointFlags.Clean) != 0 && LacksEnd(options.FileSystem, topics, checkpoint, store))
        {
            options.OnEvent?.Invoke(new WalEvent(WalEventKind.CursorsDamaged, 0, $"{CursorLogName} has lost its end, although the last stop was in order. {Loss}"));
        }
    }

    // Without the record the end is lacking only when there is no other record either.
    private static bool LacksEnd(WalFileSystem files, string topics, Checkpoint checkpoint, StateStore store) => store.StoppedIncarnation is { } stopped
        ? stopped != checkpoint.Incarnation
        : store.Records.Entries.Count == 0 && TopicIds(files, topics).Any();

    private static IEnumerable<ulong> TopicIds(WalFileSystem files, string topics)
    {
        foreach (string name in files.List(topics))
        {
            if (ulong.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out ulong topicId))
            {
                yield return topicId;
            }
        }
    }

    // The records too: the segments of a log may be gone, and what a log writes must not be below the first generation that is its own.
    private static uint HighestGeneration(WalFileSystem files, string topics, StateStore store)
    {
        uint highest = store.HighestGeneration;
        Span<byte> bytes = stackalloc byte[SegmentHeader.Size];
        foreach (string topic in files.List(topics))
        {
            string directory = Path.Combine(topics, topic);
            foreach (string name in files.List(directory).Where(n => SegmentNames.TryParse(n, out _)))
            {
                using WalFile file = files.Open(Path.Combine(directory, name));
                if (file.Read(bytes, 0) == bytes.Length && SegmentHeader.TryRead(bytes, out SegmentHeader header))
                {
                    highest = Math.Max(highest, header.Generation);
                }
            }
        }

        return highest == 0 ? 0 : checked(highest + LostCheckpointLeap);
    }

    // Deletes that a former process did not finish.
    private void RemoveDeleted()
    {
        foreach (string name in Options.FileSystem.List(_topicsPath).Where(n => n.StartsWith(DeletedPrefix, StringComparison.Ordinal)))
        {
            Cleaner.Enqueue(new DirectoryRemoval(this, Path.Combine(_topicsPath, name)));
        }
    }
}
