using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Danube.Fast.Wal;

/// <summary>An advisory lock on a file that holds the process id of its holder. The kernel drops it with the process.</summary>
internal sealed class NativeLock : IDisposable
{
    private readonly SafeFileHandle _handle;

    private NativeLock(SafeFileHandle handle) => _handle = handle;

    public static NativeLock Take(string path)
    {
        SafeFileHandle handle;
        try
        {
            handle = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        }
        catch (IOException error) when (error is not DirectoryNotFoundException)
        {
            throw new DataDirectoryLockedException(path, ReadHolder(path));
        }

        if (!OperatingSystem.IsWindows() && Libc.FLock(handle, Libc.LockExclusive | Libc.LockNonBlocking) < 0)
        {
            int error = Marshal.GetLastPInvokeError();
            handle.Dispose();
            throw error is Libc.EAgain or Libc.EAgainMac ? new DataDirectoryLockedException(path, ReadHolder(path)) : IoErrors.FromError(error, "flock", path);
        }

        byte[] pid = Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n");
        RandomAccess.SetLength(handle, 0);
        RandomAccess.Write(handle, pid, 0);
        return new NativeLock(handle);
    }

    /// <summary>Locks an existing file and leaves it as it is.</summary>
    public static NativeLock TakeUnchanged(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            try
            {
                return new NativeLock(File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read));
            }
            catch (IOException error) when (error is not FileNotFoundException)
            {
                throw new DataDirectoryLockedException(path, ReadHolder(path));
            }
        }

        int file = Libc.OpenForReading(path);
        if (file < 0)
        {
            throw IoErrors.FromLastError("open", path);
        }

        var handle = new SafeFileHandle(file, ownsHandle: true);
        if (Libc.FLock(handle, Libc.LockExclusive | Libc.LockNonBlocking) < 0)
        {
            int error = Marshal.GetLastPInvokeError();
            handle.Dispose();
            throw error is Libc.EAgain or Libc.EAgainMac ? new DataDirectoryLockedException(path, ReadHolder(path)) : IoErrors.FromError(error, "flock", path);
        }

        return new NativeLock(handle);
    }

    public void Dispose() => _handle.Dispose();

    private static string? ReadHolder(string path)
    {
        Span<byte> buffer = stackalloc byte[32];
        int length = 0;
        if (OperatingSystem.IsWindows())
        {
            try
            {
                using SafeFileHandle handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
                length = RandomAccess.Read(handle, buffer, 0);
            }
            catch (IOException)
            {
                return null;
            }
        }
        else if (Libc.OpenForReading(path) is int file and >= 0)
        {
            length = Math.Max(0, Libc.ReadSome(file, buffer));
            _ = Libc.Close(file);
        }

        string text = Encoding.ASCII.GetString(buffer[..length]).Trim();
        return text.Length == 0 ? null : text;
    }
}
