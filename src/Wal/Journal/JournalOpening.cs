namespace Danube.Fast.Wal;

/// <summary>
/// Opens the commit journal of a directory: replays what the former process left, and makes the ring when there is none or its size is another.
/// Runs on: the thread that opens the directory, before the checkpoint begins its incarnation.
/// </summary>
/// <param name="root">The data directory.</param>
/// <param name="options">Of the directory.</param>
/// <param name="checkpoint">As the former process left it.</param>
/// <param name="store">Takes the durable ends that replay proves.</param>
/// <param name="counters">Of the directory.</param>
/// <param name="volume">The file system, opened before anything was written; null where it cannot be synced as a whole.</param>
internal sealed class JournalOpening(string root, WalOptions options, Checkpoint checkpoint, StateStore store, WalCounters counters, WalVolume? volume) : IDisposable
{
    public const string FileName = "journal";

    private const long LeastBytes = 64 * 1024, VolumeShare = 16;

    private readonly string _path = Path.Combine(root, FileName);
    private readonly WalFileSystem _files = options.FileSystem;
    private List<(ReplayedFile File, ulong Lsn)> _written = [];
    private JournalRing? _ring;
    private ulong _head;

    /// <summary>Highest incarnation that an entry names.</summary>
    public ulong HighestIncarnation { get; private set; }

    /// <summary>LSN of the oldest entry that is still needed; 0 without a journal.</summary>
    public ulong Tail { get; private set; }

    /// <summary>Replays; the checkpoint must begin with <see cref="Tail"/> next.</summary>
    /// <exception cref="IOException">The disk cannot be read or written.</exception>
    public void Run()
    {
        _head = checkpoint.Tail;
        if (_files.FileExists(_path))
        {
            _ring = JournalRing.TryOpen(_path, _files);
        }

        if (checkpoint.FoundFlags != CheckpointFlags.Clean)
        {
            Replay();
        }

        if (_ring is not null)
        {
            _head = JournalReader.RoundUp(Math.Max(_head, _ring.FirstLsn));
        }

        long wanted = WantedBytes();
        if (_ring is null || _ring.IsDamaged || _ring.Capacity != wanted)
        {
            Replace(wanted);
        }

        Tail = _ring is null ? 0 : _written.Count > 0 ? _written[0].Lsn : _head;
    }

    /// <summary>The journal, once the checkpoint has begun; null when there is none.</summary>
    public Journal? Take()
    {
        if (_ring is null)
        {
            _files.Unlink(_path); // Everything in it was synced, and no slot names it any more.
            return null;
        }

        var journal = new Journal(_ring, checkpoint.Incarnation, _head, Tail, counters);
        _ring = null;
        foreach ((ReplayedFile file, ulong lsn) in _written)
        {
            journal.AddReplayed(file, lsn);
        }

        _written = [];
        return journal;
    }

    public void Dispose()
    {
        _ring?.Dispose();
        CloseWritten();
    }

    private void Replay()
    {
        if (_ring is null)
        {
            if (checkpoint.Tail != 0)
            {
                Report(WalEventKind.JournalDamaged, $"The commit journal {_path} is missing: acknowledged messages that were only in it are lost.");
            }

            return;
        }

        var replay = new JournalReplay(_files, Path.Combine(root, DataDirectory.TopicsName), store, _ring, mayClose: volume is not null);
        try
        {
            if (checkpoint.HasBadSlot || checkpoint.IsLost || _ring.IsDamaged)
            {
                if (_ring.IsDamaged)
                {
                    Report(WalEventKind.JournalDamaged, "The commit journal is cut, or its head cannot be read: all that is left of it is replayed.");
                }

                replay.RunAll(); // A slot may be torn by a power cut while it was written: that alone is no damage.
            }
            else if (checkpoint.Tail != 0)
            {
                replay.Run(checkpoint.Tail, checkpoint.Incarnation);
            }
        }
        finally
        {
            _written = replay.Written;
        }

        _head = Math.Max(_head, replay.Head);
        HighestIncarnation = replay.HighestIncarnation;
        counters.ReplayedEntryCount = replay.Entries;
        counters.JournalDamageBytes = replay.DamagedBytes;
        foreach (JournalEntry entry in replay.DamagedEntries)
        {
            Report(WalEventKind.JournalDamaged,
                $"An entry of the commit journal that says it holds offsets {entry.FirstOffset} to {entry.EndOffset - 1} of this log could not be read: acknowledged messages may be lost, unless the log's file has them.", topicId: entry.TopicId);
        }

        if (replay.DamagedBytes > 0 || replay.MissingTargets > 0)
        {
            Report(WalEventKind.JournalDamaged,
                $"{replay.DamagedBytes} bytes of the commit journal could not be read, and {replay.MissingTargets} of its entries have no segment: acknowledged messages may be lost; the logs concerned report them.");
        }

        replay.CloseMost(JournalCheckpoint.BulkAbove); // The first checkpoint syncs more than that all together.
        if (volume is null && _written.Count > ReplayHandles.Most)
        {
            SyncWritten();
        }
    }

    // A ring of another size: nothing may depend on the old one.
    private void Replace(long wanted)
    {
        SyncWritten();
        if (wanted == 0)
        {
            _ring?.Dispose();
            _ring = null;
            return;
        }

        try
        {
            ulong above = Math.Max(_head, checkpoint.Tail) + 1;
            ulong first = (above + (ulong)wanted - 1) / (ulong)wanted * (ulong)wanted;
            JournalRing ring = JournalRing.Create(_path, _files, wanted, first);
            _ring?.Dispose();
            _ring = ring;
            _head = first;
        }
        catch (DiskFullException error)
        {
            bool usable = _ring is { IsDamaged: false };
            Report(WalEventKind.JournalUnavailable, usable ? "There is no room for a commit journal of the configured size: the old one is used." :
                "There is no room for the commit journal: each log is synced by itself, which is slower with many topics. It is tried again at the next start.", error);
            if (!usable)
            {
                _ring?.Dispose();
                _ring = null;
            }
        }
    }

    private void SyncWritten()
    {
        if (!TrySyncAll())
        {
            foreach ((ReplayedFile file, _) in _written)
            {
                file.Sync();
            }
        }

        CloseWritten();
    }

    // As a checkpoint does it: many at once, or such as were closed early. After an error each is asked, to find the culprit.
    private bool TrySyncAll()
    {
        if (volume is null || (_written.Count <= JournalCheckpoint.BulkAbove && !_written.Exists(w => w.File.NeedsVolume)))
        {
            return false;
        }

        try
        {
            volume.Sync();
            Interlocked.Increment(ref counters.BulkSyncCount);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private void CloseWritten()
    {
        foreach ((ReplayedFile file, _) in _written)
        {
            file.Close();
        }

        _written = [];
    }

    private long WantedBytes()
    {
        if (options.JournalBytes <= 0)
        {
            return 0;
        }

        (_, long total) = _files.Space(root);
        return Math.Max(Math.Min(options.JournalBytes, total / VolumeShare), LeastBytes) & -JournalRing.Block;
    }

    private void Report(WalEventKind kind, string message, Exception? cause = null, ulong topicId = 0) =>
        options.OnEvent?.Invoke(new WalEvent(kind, topicId, message, cause));
}
