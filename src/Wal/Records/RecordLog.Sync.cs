namespace Danube.Fast.Wal;

// Writing: the pending buffer at the end of the file, or the whole live state into a new file.
public sealed partial class RecordLog
{
    private const long MinRewriteBytes = 256 * 1024;

    /// <summary>
    /// Writes and syncs everything appended before the call. An error leaves memory untouched: call again later.
    /// </summary>
    /// <exception cref="DiskFullException">There is no room; try again later.</exception>
    /// <exception cref="IOException">The disk failed.</exception>
    public void Sync()
    {
        lock (_syncLock)
        {
            RecordBuffer batch;
            ulong upTo;
            bool rewrite;
            lock (_stateLock)
            {
                ObjectDisposedException.ThrowIf(_disposed, this);
                if (_sequence == _durableSequence && !_mustRewrite)
                {
                    return;
                }

                upTo = _sequence;
                rewrite = _mustRewrite || _end + _pending.Length > Math.Max(MinRewriteBytes, 4 * _liveBytes);
                (batch, _pending, _spare) = (_pending, _spare, _pending);
            }

            try
            {
                _mustRewrite = true;
                upTo = rewrite ? Rewrite() : WriteBatch(batch, upTo);
                _mustRewrite = false;
            }
            finally
            {
                batch.Clear();
            }

            lock (_stateLock)
            {
                _durableSequence = Math.Max(_durableSequence, upTo);
            }
        }
    }

    private ulong WriteBatch(RecordBuffer batch, ulong upTo)
    {
        _file!.Write(batch.Written, _end);
        _file.DataSync();
        _end += batch.Length;
        return upTo;
    }

    // A new file under a temporary name, synced, renamed over the old one, the directory synced: the old state or the new one, never a mixture.
    private ulong Rewrite()
    {
        string temporary = _path + ".tmp";
        _files.Unlink(temporary);
        var image = new RecordBuffer();
        ulong upTo;
        lock (_stateLock)
        {
            // Records that were appended since the batch was taken carry the old file number: they are part of the image instead.
            _pending.Clear();
            upTo = WriteImage(image);
        }

        WalFile file = _files.Create(temporary);
        try
        {
            file.Write(image.Written, 0);
            file.DataSync();
            _files.Rename(temporary, _path);
            _files.SyncDirectory(Path.GetDirectoryName(_path)!);
        }
        catch
        {
            file.Dispose();
            throw;
        }

        _file?.Dispose();
        _file = file;
        _end = image.Length;
        return upTo;
    }

    // Under _stateLock.
    private ulong WriteImage(RecordBuffer image)
    {
        _fileNumber++;
        RecordFormat.WriteHeader(image.Take(RecordFormat.HeaderSize), _fileNumber);
        ulong next = _sequence;
        ulong last = next + (ulong)_live.Count; // All of the image is on the disk before the file gets its name.
        foreach ((byte[] key, byte[] value) in _live)
        {
            Span<byte> room = image.Take(RecordFormat.Measure(key.Length, value.Length));
            RecordFormat.WriteRecord(room, ++next, last, (uint)_fileNumber, removed: false, key, value);
        }

        _sequence = next;
        return next;
    }
}
