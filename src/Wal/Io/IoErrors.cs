using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Danube.Fast.Wal;

/// <summary>Turns error numbers into the exceptions of the seam.</summary>
internal static class IoErrors
{
    private const int WindowsDiskFull = unchecked((int)0x80070070), WindowsHandleDiskFull = unchecked((int)0x80070027);

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

    private static bool IsDiskFull(int error) =>
        error == Libc.EDiskFull || error == (OperatingSystem.IsMacOS() ? Libc.EQuotaMac : Libc.EQuota);
}
