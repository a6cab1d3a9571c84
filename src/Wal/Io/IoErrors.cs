using System.ComponentModel;
using System.Runtime.InteropServices;
using Danube.Fast.Core;

namespace Danube.Fast.Wal;

/// <summary>Turns error numbers into the exceptions of the seam.</summary>
internal static class IoErrors
{
    private const int WindowsDiskFull = unchecked((int)0x80070070), WindowsHandleDiskFull = unchecked((int)0x80070027),
        WindowsTooManyFiles = unchecked((int)0x80070004);

    /// <summary>Exception for the last error number of a C library call.</summary>
    public static IOException FromLastError(string call, string path) => FromError(Marshal.GetLastPInvokeError(), call, path);

    public static IOException FromError(int error, string call, string path)
    {
        string message = $"{call} of {path} failed: {new Win32Exception(error).Message} (error {error}).";
        return IsDiskFull(error) ? new DiskFullException(message) : new IOException(message, error);
    }

    /// <summary>True for the exceptions with which .NET reports a full disk.</summary>
    public static bool IsDiskFull(IOException error) =>
        OperatingSystem.IsWindows() ? error.HResult is WindowsDiskFull or WindowsHandleDiskFull : IsDiskFull(error.HResult);

    /// <summary>
    /// True when the process or the machine has no more file handles. Only an open answers this, so nothing was written or lost: it may be tried again.
    /// </summary>
    public static bool IsOutOfHandles(Exception error) =>
        error is IOException io && (OperatingSystem.IsWindows() ? io.HResult == WindowsTooManyFiles : io.HResult is Libc.ETooManyFilesSystem or Libc.ETooManyFiles);

    /// <summary>What an append is answered for an error that passes by itself; <see cref="AppendStatus.Failed"/> for all others.</summary>
    public static AppendStatus BlockageOf(Exception error) =>
        IsOutOfHandles(error) ? AppendStatus.OutOfHandles
        : error is DiskFullException || (error is IOException io && IsDiskFull(io)) ? AppendStatus.DiskFull
        : AppendStatus.Failed;

    private static bool IsDiskFull(int error) =>
        error == Libc.EDiskFull || error == (OperatingSystem.IsMacOS() ? Libc.EQuotaMac : Libc.EQuota);
}
