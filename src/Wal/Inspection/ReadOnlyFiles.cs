using Microsoft.Win32.SafeHandles;

namespace Danube.Fast.Wal;

/// <summary>The operating system's files, none of which is changed: a call that would is a mistake of the caller.</summary>
internal sealed class ReadOnlyFiles : WalFileSystem
{
    private const string Refusal = "Files are only read here.";

    public override WalFile Open(string path)
    {
        SafeFileHandle handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        return new NativeFile(path, handle);
    }

    public override bool FileExists(string path) => Native.FileExists(path);

    public override bool DirectoryExists(string path) => Native.DirectoryExists(path);

    public override IReadOnlyList<string> List(string directory) => Native.List(directory);

    public override (long FreeBytes, long TotalBytes) Space(string path) => Native.Space(path);

    /// <summary>Locks without writing into the lock file.</summary>
    public override IDisposable Lock(string path) => NativeLock.TakeUnchanged(path);

    public override WalFile Create(string path) => throw new InvalidOperationException(Refusal);

    public override WalFile CreateAllocated(string path, long length) => throw new InvalidOperationException(Refusal);

    public override void CreateDirectory(string path) => throw new InvalidOperationException(Refusal);

    public override void Rename(string from, string to) => throw new InvalidOperationException(Refusal);

    public override void Unlink(string path) => throw new InvalidOperationException(Refusal);

    public override void RemoveDirectory(string path) => throw new InvalidOperationException(Refusal);

    public override void SyncDirectory(string path) => throw new InvalidOperationException(Refusal);
}
