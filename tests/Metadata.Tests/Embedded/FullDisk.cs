using Danube.Fast.Wal;

namespace Danube.Fast.Metadata.Tests;

/// <summary>The real file system, except that writes fail for want of room while <see cref="IsFull"/>.</summary>
internal sealed class FullDisk : WalFileSystem
{
    private readonly WalFileSystem _inner = Native;

    public bool IsFull { get; set; }

    public override WalFile Create(string path) => new LimitedFile(this, _inner.Create(path));

    public override WalFile CreateAllocated(string path, long length) => new LimitedFile(this, _inner.CreateAllocated(path, length));

    public override WalFile Open(string path) => new LimitedFile(this, _inner.Open(path));

    public override bool FileExists(string path) => _inner.FileExists(path);

    public override bool DirectoryExists(string path) => _inner.DirectoryExists(path);

    public override void CreateDirectory(string path) => _inner.CreateDirectory(path);

    public override IReadOnlyList<string> List(string directory) => _inner.List(directory);

    public override void Rename(string from, string to) => _inner.Rename(from, to);

    public override void Unlink(string path) => _inner.Unlink(path);

    public override void RemoveDirectory(string path) => _inner.RemoveDirectory(path);

    public override void SyncDirectory(string path) => _inner.SyncDirectory(path);

    public override (long FreeBytes, long TotalBytes) Space(string path) => _inner.Space(path);

    public override IDisposable Lock(string path) => _inner.Lock(path);

    private sealed class LimitedFile(FullDisk disk, WalFile inner) : WalFile
    {
        public override string Path => inner.Path;

        public override long Length => inner.Length;

        public override void Write(ReadOnlySpan<byte> bytes, long position)
        {
            if (disk.IsFull)
            {
                throw new DiskFullException("No space left on device.");
            }

            inner.Write(bytes, position);
        }

        public override int Read(Span<byte> buffer, long position) => inner.Read(buffer, position);

        public override void DataSync() => inner.DataSync();

        public override void DropCache() => inner.DropCache();

        public override long NextData(long position) => inner.NextData(position);

        public override WalMap Map(bool writable) => inner.Map(writable);

        protected override void Dispose(bool disposing) => inner.Dispose();
    }
}
