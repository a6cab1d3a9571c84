using Danube.Fast.Wal;

namespace Danube.Fast.EndToEnd.Tests;

/// <summary>A call that a test can hold up or fail.</summary>
internal enum FileCall
{
    Create,
    Allocate,
    Open,
    Read,
    Write,
    Sync,
    Rename,
    SyncDirectory,
    Unlink,
}

/// <summary>The operating system's files behind a place where tests wait, fail, or count. Runs on: any thread of the log store.</summary>
internal class FaultFiles : WalFileSystem
{
    private volatile Action<FileCall, string>? _before;

    /// <summary>Runs before each call with its path; what it throws is the call's answer.</summary>
    public Action<FileCall, string>? Before
    {
        set => _before = value;
    }

    /// <summary>The error of a device that does not work.</summary>
    public static IOException DeviceError(FileCall call) => new($"{call} failed: Input/output error (injected).", 5);

    public override WalFile Create(string path)
    {
        Pass(FileCall.Create, path);
        return new PassedFile(this, Native.Create(path));
    }

    public override WalFile CreateAllocated(string path, long length)
    {
        Pass(FileCall.Allocate, path);
        return new PassedFile(this, Native.CreateAllocated(path, length));
    }

    public override WalFile Open(string path)
    {
        Pass(FileCall.Open, path);
        return new PassedFile(this, Native.Open(path));
    }

    public override bool FileExists(string path) => Native.FileExists(path);

    public override bool DirectoryExists(string path) => Native.DirectoryExists(path);

    public override void CreateDirectory(string path) => Native.CreateDirectory(path);

    public override IReadOnlyList<string> List(string directory) => Native.List(directory);

    public override void Rename(string from, string to)
    {
        Pass(FileCall.Rename, from);
        Native.Rename(from, to);
    }

    public override void Unlink(string path)
    {
        Pass(FileCall.Unlink, path);
        Native.Unlink(path);
    }

    public override void RemoveDirectory(string path) => Native.RemoveDirectory(path);

    public override void SyncDirectory(string path)
    {
        Pass(FileCall.SyncDirectory, path);
        Native.SyncDirectory(path);
    }

    public override (long FreeBytes, long TotalBytes) Space(string path) => Native.Space(path);

    public override IDisposable Lock(string path) => Native.Lock(path);

    protected virtual void Pass(FileCall call, string path) => _before?.Invoke(call, path);

    /// <summary>Bytes are about to be written up to <paramref name="end"/>.</summary>
    protected virtual void PassWrite(string path, long end) => Pass(FileCall.Write, path);

    private sealed class PassedFile(FaultFiles files, WalFile file) : WalFile
    {
        public override string Path => file.Path;

        public override long Length => file.Length;

        public override void Write(ReadOnlySpan<byte> bytes, long position)
        {
            files.PassWrite(file.Path, position + bytes.Length);
            file.Write(bytes, position);
        }

        public override int Read(Span<byte> buffer, long position)
        {
            files.Pass(FileCall.Read, file.Path);
            return file.Read(buffer, position);
        }

        public override void DataSync()
        {
            files.Pass(FileCall.Sync, file.Path);
            file.DataSync();
        }

        public override void DropCache() => file.DropCache();

        public override long NextData(long position) => file.NextData(position);

        public override WalMap Map(bool writable) => file.Map(writable);

        protected override void Dispose(bool disposing) => file.Dispose();
    }
}
