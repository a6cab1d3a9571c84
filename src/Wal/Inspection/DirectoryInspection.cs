using System.Globalization;
using System.Text;
using Danube.Fast.Core;

namespace Danube.Fast.Wal;

/// <summary>
/// Reads the data directory of a stopped broker and changes nothing: what is there and, when asked to verify, every frame by the rules of recovery.
/// Runs on: the caller's thread.
/// </summary>
public sealed class DirectoryInspection
{
    private const int CursorPrefix = 9;
    private readonly PatchedFiles _files = new();
    private readonly string _path;
    private readonly bool _verify;
    private RecordLog? _records;
    private CheckpointSlot? _current;
    private uint _generationLimit = uint.MaxValue;

    private DirectoryInspection(string path, bool verify)
    {
        _path = Path.GetFullPath(path);
        _verify = verify;
    }

    /// <summary>True for a folder that a broker has used: it has one of the files or folders that every data directory has.</summary>
    public static bool IsDataDirectory(string path) =>
        File.Exists(Path.Combine(path, DataDirectory.LockName)) || File.Exists(Path.Combine(path, DataDirectory.CheckpointName))
        || Directory.Exists(Path.Combine(path, DataDirectory.TopicsName));

    /// <summary>Looks at a directory; no broker can open it meanwhile. A copy without its lock file is looked at as it is.</summary>
    /// <param name="path">The data directory.</param>
    /// <param name="verify">Read every frame of every segment.</param>
    /// <exception cref="DataDirectoryLockedException">A broker runs on it.</exception>
    /// <exception cref="IOException">It is no data directory, or the disk cannot be read.</exception>
    public static DirectoryPicture Run(string path, bool verify)
    {
        var inspection = new DirectoryInspection(path, verify);
        if (!IsDataDirectory(inspection._path))
        {
            throw new IOException($"{inspection._path} is no data directory of a broker: it has none of {DataDirectory.LockName}, {DataDirectory.CheckpointName} and {DataDirectory.TopicsName}.");
        }

        string lockFile = Path.Combine(inspection._path, DataDirectory.LockName);
        using IDisposable? held = File.Exists(lockFile) ? inspection._files.Lock(lockFile) : null;
        return inspection.Read();
    }

    private DirectoryPicture Read()
    {
        SlotPicture[] slots = ReadSlots();
        if (slots.Any(s => s.State == SlotState.Good))
        {
            _generationLimit = slots.Where(s => s.State == SlotState.Good).Max(s => s.GenerationReserve);
        }

        string cursorFile = Path.Combine(_path, DataDirectory.CursorLogName);
        _records = RecordLog.Inspect(cursorFile, _files, out long bytes);
        var file = new RecordFilePicture(bytes, _records.Entries.Count, _records.DamagedBytes, _records.TornBytes, LacksEnd(slots));
        JournalPicture journal = JournalInspection.Read(_path, _files, _current, slots.Any(s => s.State == SlotState.Bad), new StateStore(_records));
        int deleted = _files.List(Path.Combine(_path, DataDirectory.TopicsName)).Count(n => n.StartsWith(DataDirectory.DeletedPrefix, StringComparison.Ordinal));
        return new DirectoryPicture(_path, slots, file, journal, [.. TopicIds().Select(ReadLogIfPossible)], deleted);
    }

    // The current slot says that the last stop was in order, and the record file does not know of that stop.
    private bool LacksEnd(SlotPicture[] slots)
    {
        SlotPicture? current = slots.Where(s => s.State == SlotState.Good).MaxBy(s => s.Number);
        if (current is not { IsClean: true })
        {
            return false;
        }

        // Without the record the end is lacking only when there is no other record either.
        return new StateStore(_records!).StoppedIncarnation is { } stopped ? stopped != current.Incarnation : _records!.Entries.Count == 0 && TopicIds().Any();
    }

    private SlotPicture[] ReadSlots()
    {
        string path = Path.Combine(_path, DataDirectory.CheckpointName);
        var bytes = new byte[2 * CheckpointSlot.Size];
        if (_files.FileExists(path))
        {
            using WalFile file = _files.Open(path);
            file.Read(bytes, 0);
        }

        SlotPicture[] slots = [.. Enumerable.Range(0, 2).Select(i => ReadSlot(i, bytes.AsSpan(i * CheckpointSlot.Size, CheckpointSlot.Size)))];

        // Only the very first write leaves the other slot empty.
        bool bothWritten = slots.Any(s => s.Number > 1);
        return [.. slots.Select(s => s.State == SlotState.Empty && bothWritten ? s with { State = SlotState.Bad } : s)];
    }

    private SlotPicture ReadSlot(int index, ReadOnlySpan<byte> bytes)
    {
        bool good = CheckpointSlot.TryRead(bytes, out CheckpointSlot slot);
        _current = good && slot.Number > (_current?.Number ?? 0) ? slot : _current;
        SlotState state = good ? SlotState.Good : bytes.ContainsAnyExcept((byte)0) ? SlotState.Bad : SlotState.Empty;
        return new SlotPicture(
            index, state, slot.Number, slot.Incarnation, slot.TailLsn, slot.GenerationReserve,
            (slot.Flags & CheckpointFlags.Clean) != 0, (slot.Flags & CheckpointFlags.Suspect) != 0, Time(slot.TimeMicros));
    }

    // With a folder, or with a record only: its files are lost then.
    private IEnumerable<ulong> TopicIds()
    {
        var ids = new SortedSet<ulong>();
        foreach (string name in _files.List(Path.Combine(_path, DataDirectory.TopicsName)))
        {
            if (ulong.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out ulong id))
            {
                ids.Add(id);
            }
        }

        ids.UnionWith(_records!.Entries.Where(e => e.Key.Length == CursorPrefix && e.Key[0] == (byte)'L').Select(e => TopicOf(e.Key)));
        return ids;
    }

    // Files that cannot be opened are a fault of their log; the others are looked at.
    private LogPicture ReadLogIfPossible(ulong topicId)
    {
        try
        {
            return ReadLog(topicId);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            bool known = new StateStore(_records!).TryGetLog(topicId, out LogState state);
            var scan = new ScanPicture(state.DurableEnd, 0, 0, [], $"it was not looked at: {error.Message}");
            return new LogPicture(topicId, [], Cursors(topicId), state.LogStart, state.DurableEnd, known && state.IsClean, new StateStore(_records!).GetPoison(topicId), "none", false, scan);
        }
    }

    private LogPicture ReadLog(ulong topicId)
    {
        var store = new StateStore(_records!);
        bool known = store.TryGetLog(topicId, out LogState state);
        long? poison = store.GetPoison(topicId);
        string folder = Path.Combine(_path, DataDirectory.TopicsName, topicId.ToString(CultureInfo.InvariantCulture));
        List<ScanFile> files = [];
        foreach (string name in _files.List(folder))
        {
            if (SegmentNames.TryParse(name, out long baseOffset))
            {
                files.Add(new ScanFile(Path.Combine(folder, name), baseOffset));
            }
        }

        files.Sort((a, b) => a.BaseOffset.CompareTo(b.BaseOffset));
        SegmentPicture[] segments = [.. files.Select(f => ReadSegment(f, topicId))];
        bool hasSnapshot = SnapshotFile.TryRead(_files, folder, topicId, out SnapshotFile snapshot);
        bool hasBadSnapshot = !hasSnapshot && _files.FileExists(Path.Combine(folder, SegmentNames.Snapshot));
        string words = hasSnapshot ? $"{snapshot.Table.Count} producers up to offset {snapshot.EndOffset}" : hasBadSnapshot ? "unreadable" : "none";
        ScanPicture? scan = _verify ? Scan(topicId, files, known ? state.LogStart : 0, Math.Max(known ? state.DurableEnd : 0, poison ?? 0)) : null;
        return new LogPicture(topicId, segments, Cursors(topicId), state.LogStart, state.DurableEnd, known && state.IsClean, poison, words, hasBadSnapshot, scan);
    }

    private SegmentPicture ReadSegment(ScanFile file, ulong topicId)
    {
        using var window = new FileWindow(SegmentHeader.Size);
        file.Open(_files, topicId, window);
        SegmentHeader header = file.HasHeader ? file.Header : default;
        return new SegmentPicture(Path.GetFileName(file.Path), file.BaseOffset, file.Length, file.HasHeader, header.Generation, header.Epoch, Time(header.CreatedMicros), file.IsForeign ? file.Header.TopicId : null);
    }

    private ScanPicture Scan(ulong topicId, List<ScanFile> files, long logStart, long durable)
    {
        long start = files.Count > 0 ? Math.Min(logStart, files[0].BaseOffset) : logStart;
        using var scan = new LogScan(_files, topicId, files, start, durable, _generationLimit);
        try
        {
            RecoveredLog found = scan.Run();
            foreach (Segment segment in found.Segments)
            {
                segment.File?.Dispose();
            }

            DamagedRange[] damages = [.. found.Damages.Where(d => d.To > logStart).Select(d => new DamagedRange(topicId, Math.Max(d.From, logStart), d.To))];
            return new ScanPicture(found.End, found.ScannedBytes, found.LeftBehindBytes, damages, null);
        }
        catch (IOException error)
        {
            return new ScanPicture(durable, 0, 0, [], error.Message);
        }
    }

    private CursorPicture[] Cursors(ulong topicId) =>
    [
        .. _records!.Entries
            .Where(e => e.Key.Length > CursorPrefix && e.Key[0] == (byte)'C' && TopicOf(e.Key) == topicId)
            .Select(e => new CursorPicture(
                Encoding.UTF8.GetString(e.Key.AsSpan(CursorPrefix)), e.Value.Length, SavedCursor.TryRead(e.Value, out SavedCursor saved) ? saved : null))
            .OrderBy(c => c.Subscription, StringComparer.Ordinal),
    ];

    private static ulong TopicOf(byte[] key) => System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(key.AsSpan(1));

    private static DateTimeOffset Time(long unixMicros) => DateTimeOffset.UnixEpoch.AddTicks(unixMicros * (TimeSpan.TicksPerMillisecond / 1000));
}
