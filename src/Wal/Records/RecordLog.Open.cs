namespace Danube.Fast.Wal;

// Reading at open.
public sealed partial class RecordLog
{
    /// <summary>
    /// Opens or creates the file. What was read is on the disk when this returns. A torn tail (never synced) is dropped; a bad place that
    /// later records prove to have been synced is skipped and counted in <see cref="DamagedBytes"/>.
    /// </summary>
    /// <param name="path">The file; its directory must exist.</param>
    /// <param name="fileSystem">Where to do the file calls; <see cref="WalFileSystem.Native"/> in a process.</param>
    public static RecordLog Open(string path, WalFileSystem fileSystem)
    {
        ArgumentNullException.ThrowIfNull(fileSystem);
        var log = new RecordLog(Path.GetFullPath(path), fileSystem);
        fileSystem.Unlink(log._path + ".tmp");
        log.Load();
        return log;
    }

    /// <summary>Reads a file, or none, and changes nothing: for tools. Nothing may be appended.</summary>
    internal static RecordLog Inspect(string path, WalFileSystem fileSystem, out long length)
    {
        var log = new RecordLog(path, fileSystem);
        length = 0;
        if (fileSystem.FileExists(path))
        {
            using WalFile file = fileSystem.Open(path);
            var bytes = new byte[checked((int)file.Length)];
            length = file.Read(bytes, 0);
            log.Replay(bytes.AsSpan(0, (int)length));
        }

        return log;
    }

    private void Load()
    {
        bool whole = false;
        if (_files.FileExists(_path))
        {
            WalFile file = _files.Open(_path);
            var bytes = new byte[checked((int)file.Length)];
            int length = file.Read(bytes, 0);
            whole = Replay(bytes.AsSpan(0, length));
            _file = file;
            _end = length;
        }

        if (whole)
        {
            _file!.DataSync(); // What was read may exist in the page cache only; the file's name too.
            _files.SyncDirectory(Path.GetDirectoryName(_path)!);
            _durableSequence = _sequence;
        }
        else
        {
            _mustRewrite = true;
            Sync();
        }
    }

    // True when the file is good from the first byte to the last, so that it can be appended to.
    private bool Replay(ReadOnlySpan<byte> bytes)
    {
        uint? number = null;
        if (RecordFormat.TryReadHeader(bytes, out ulong fileNumber))
        {
            _fileNumber = fileNumber;
            number = (uint)fileNumber;
        }

        bool whole = number is not null;
        int at = Math.Min(RecordFormat.HeaderSize, bytes.Length);
        while (at < bytes.Length)
        {
            if (RecordFormat.TryReadRecord(bytes[at..], number, out StoredRecord record) && record.Sequence > _sequence)
            {
                Apply(record);
                at += record.Length;
                continue;
            }

            whole = false;
            int next = FindProvenRecord(bytes, at, number);
            if (next < 0)
            {
                TornBytes = bytes.Length - at;
                break;
            }

            DamagedBytes += next - at;
            at = next;
        }

        if (number is null && bytes.Length > 0)
        {
            // The header was synced before the file got its name, so this is damage, and the file number must not repeat.
            DamagedBytes += RecordFormat.HeaderSize;
            _fileNumber = (ulong)bytes.Length + 1_000_000;
        }

        return whole;
    }

    private void Apply(in StoredRecord record)
    {
        _sequence = record.Sequence;
        if (record.Removed)
        {
            Drop(record.Key);
        }
        else
        {
            Add(record.Key, record.Value);
        }
    }

    // The first good record behind a bad place, when some record behind it says that the bad place had been synced; else -1.
    private int FindProvenRecord(ReadOnlySpan<byte> bytes, int bad, uint? number)
    {
        int first = -1;
        for (int at = bad + RecordFormat.Alignment; at < bytes.Length; at += RecordFormat.Alignment)
        {
            if (RecordFormat.TryReadRecord(bytes[at..], number, out StoredRecord record) && record.Sequence > _sequence)
            {
                first = first < 0 ? at : first;
                if (number is null || record.DurableSequence > _sequence)
                {
                    return first;
                }

                at += record.Length - RecordFormat.Alignment;
            }
        }

        return -1;
    }
}
