using Danube.Fast.Wal;

namespace Danube.Fast.EndToEnd.Tests;

/// <summary>
/// The operating system's files, with a gate in front of every sync of a log's segment: it can be shut, and it can fail. All else goes through.
/// </summary>
internal sealed class SyncGate : WalFileSystem
{
    private readonly ManualResetEventSlim _open = new(true);
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _fails;

    /// <summary>Completes when a sync stands before the shut gate.</summary>
    public Task Reached => _reached.Task;

    public void Shut() => _open.Reset();

    public void Open() => _open.Set();

    /// <summary>From now on every sync of a segment answers an I/O error.</summary>
    public void Fail() => _fails = true;

    public override WalFile Create(string path) => new GatedFile(this, Native.Create(path));

    public override WalFile CreateAllocated(string path, long length) => new GatedFile(this, Native.CreateAllocated(path, length));

    public override WalFile Open(string path) => new GatedFile(this, Native.Open(path));

    public override bool FileExists(string path) => Native.FileExists(path);

    public override bool DirectoryExists(string path) => Native.DirectoryExists(path);

    public override void CreateDirectory(string path) => Native.CreateDirectory(path);

    public override IReadOnlyList<string> List(string directory) => Native.List(directory);

    public override void Rename(string from, string to) => Native.Rename(from, to);

    public override void Unlink(string path) => Native.Unlink(path);

    public override void RemoveDirectory(string path) => Native.RemoveDirectory(path);

    public override void SyncDirectory(string path) => Native.SyncDirectory(path);

    public override (long FreeBytes, long TotalBytes) Space(string path) => Native.Space(path);

    public override IDisposable Lock(string path) => Native.Lock(path);

    private void Pass(string path)
    {
        if (!path.Contains("topics", StringComparison.Ordinal))
        {
            return;
        }

        if (!_open.IsSet)
        {
            _reached.TrySetResult();
            _open.Wait(TimeSpan.FromSeconds(60)); // A hang guard only.
        }

        if (_fails)
        {
            throw new IOException("The disk does not sync (injected).", 5);
        }
    }

    private sealed class GatedFile(SyncGate gate, WalFile file) : WalFile
    {
        public override string Path => file.Path;

        public override long Length => file.Length;

        public override void Write(ReadOnlySpan<byte> bytes, long position) => file.Write(bytes, position);

        public override int Read(Span<byte> buffer, long position) => file.Read(buffer, position);

        public override void DataSync()
        {
            gate.Pass(file.Path);
            file.DataSync();
        }

        public override void DropCache() => file.DropCache();

        public override long NextData(long position) => file.NextData(position);

        public override WalMap Map(bool writable) => file.Map(writable);

        protected override void Dispose(bool disposing) => file.Dispose();
    }
}
