namespace Danube.Fast.Wal.Tests;

// What is open: the volume, the lock, files and their maps.
internal sealed partial class SimulatedFileSystem
{
    /// <summary>A directory on a disk of its own: a volume opened above it does not sync it. Null: all is on one disk.</summary>
    public string? Mount { get; set; }

    private sealed class Volume(SimulatedFileSystem files, string path) : WalVolume
    {
        protected override void SyncNow()
        {
            files.Enter(FileCall.SyncVolume, path);
            lock (files._lock)
            {
                object? mounted = files.Mount is { } mount ? files.Find(mount) : null;
                if (mounted is SimulatedDirectory own && path.StartsWith(files.Mount!, StringComparison.Ordinal))
                {
                    own.SyncTree(null);
                }
                else
                {
                    files._root.SyncTree(mounted);
                }
            }
        }

        protected override void Dispose(bool disposing)
        {
        }
    }

    private sealed class Unlock(SimulatedFileSystem files, string path) : IDisposable
    {
        public void Dispose()
        {
            lock (files._lock)
            {
                files._locks.Remove(path);
            }
        }
    }

    private sealed class Handle(SimulatedFileSystem files, string path, SimulatedFile file) : WalFile
    {
        private bool _closed;

        public SimulatedFile File => file;

        public override string Path => path;

        public override long Length => file.Length;

        public override void Write(ReadOnlySpan<byte> bytes, long position)
        {
            Check(FileCall.Write);
            lock (files._lock)
            {
                file.Write(bytes, (int)position);
            }
        }

        public override int Read(Span<byte> buffer, long position)
        {
            Check(FileCall.Read);
            lock (files._lock)
            {
                return file.Read(buffer, (int)position);
            }
        }

        public override void DataSync()
        {
            try
            {
                Check(FileCall.Sync);
            }
            catch (IOException)
            {
                lock (files._lock)
                {
                    file.FailSync();
                }

                throw;
            }

            lock (files._lock)
            {
                file.Sync();
            }
        }

        public override void BeginWrite(long position, long length)
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            lock (files._lock)
            {
                files.BegunWrites.Add((path, position, length));
            }
        }

        public override void StopReadAhead() => Check(FileCall.StopReadAhead);

        public override void DropCache()
        {
            Check(FileCall.DropCache);
            lock (files._lock)
            {
                file.DropCache();
            }
        }

        public override long NextData(long position)
        {
            lock (files._lock)
            {
                int next = position >= file.Length ? -1 : file.Cache.AsSpan((int)position, file.Length - (int)position).IndexOfAnyExcept((byte)0);
                return next < 0 ? file.Length : position + next;
            }
        }

        public override unsafe WalMap Map(bool writable)
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            lock (files._lock)
            {
                file.IsMappedForWriting |= writable;
                file.Pin();
                return new SimulatedMap(files, file);
            }
        }

        protected override void Dispose(bool disposing)
        {
            lock (files._lock)
            {
                files.Handles -= _closed ? 0 : 1;
                _closed = true;
            }
        }

        private void Check(FileCall call)
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            files.Enter(call, path);
        }
    }

    private sealed unsafe class SimulatedMap(SimulatedFileSystem files, SimulatedFile file) : WalMap
    {
        public override byte* Pointer => file.Pointer;

        public override int Length => file.Length;

        public override bool IsResident(long position, int length) => files.HasPagesInMemory;

        protected override void Dispose(bool disposing)
        {
        }
    }
}
