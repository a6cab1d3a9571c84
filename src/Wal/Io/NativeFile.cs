using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Danube.Fast.Wal;

/// <summary>A file of the operating system.</summary>
internal sealed class NativeFile(string path, SafeFileHandle handle) : WalFile
{
    private static bool _cannotPass, _cannotBeginWrite;

    // O_DIRECT differs between architectures.
    private static int DirectFlag => RuntimeInformation.ProcessArchitecture is Architecture.Arm or Architecture.Arm64 or Architecture.Ppc64le ? 0x10000 : 0x4000;

    public override string Path => path;

    public override long Length => RandomAccess.GetLength(handle);

    public SafeFileHandle Handle => handle;

    public override void Write(ReadOnlySpan<byte> bytes, long position)
    {
        try
        {
            RandomAccess.Write(handle, bytes, position);
        }
        catch (IOException error) when (IoErrors.IsDiskFull(error))
        {
            throw new DiskFullException($"No space left to write {path}.", error);
        }
    }

    public override int Read(Span<byte> buffer, long position)
    {
        int total = 0;
        while (total < buffer.Length)
        {
            int read = RandomAccess.Read(handle, buffer[total..], position + total);
            if (read == 0)
            {
                break;
            }

            total += read;
        }

        return total;
    }

    public override int ReadPassing(Span<byte> buffer, long position)
    {
        int total = 0;
        try
        {
            while (OperatingSystem.IsLinux() && !Volatile.Read(ref _cannotPass) && total < buffer.Length)
            {
                int read = ReadUncached(buffer[total..], position + total);
                if (read == 0)
                {
                    return total;
                }

                total += Math.Max(0, read);
            }
        }
        catch (EntryPointNotFoundException)
        {
            Volatile.Write(ref _cannotPass, true); // The C library is too old.
        }

        return total == buffer.Length ? total : total + ReadAndForget(buffer[total..], position + total);
    }

    // Bytes read, 0 at the end of the file, -1 when it should be tried again or another way.
    private unsafe int ReadUncached(Span<byte> buffer, long position)
    {
        fixed (byte* start = buffer)
        {
            var part = new Libc.IoVector { Base = (nint)start, Length = (nuint)buffer.Length };
            int read = (int)Libc.ReadVector(handle, in part, 1, position, Libc.DoNotCache);
            if (read >= 0)
            {
                return read;
            }
        }

        switch (Marshal.GetLastPInvokeError())
        {
            case Libc.EIntr:
                return -1;
            case Libc.ENotSupported or Libc.EInvalid or Libc.ENoSystemCall:
                Volatile.Write(ref _cannotPass, true); // The kernel or the file system does not know the flag.
                return -1;
            default:
                throw IoErrors.FromLastError("preadv2", path);
        }
    }

    private int ReadAndForget(Span<byte> buffer, long position)
    {
        int read = Read(buffer, position);
        if (OperatingSystem.IsLinux())
        {
            // Dirty pages and those that a process has mapped stay.
            _ = Libc.FAdvise(handle, position, read, Libc.AdviseDontNeed);
        }

        return read;
    }

    public override void DataSync()
    {
        if (OperatingSystem.IsWindows())
        {
            RandomAccess.FlushToDisk(handle);
            return;
        }

        bool mac = OperatingSystem.IsMacOS();
        if (!mac && !OperatingSystem.IsLinux())
        {
            throw new PlatformNotSupportedException("Durable topics need Linux, macOS or Windows.");
        }

        while ((mac ? Libc.FControl(handle, Libc.FullFSync) : Libc.FDataSync(handle)) < 0)
        {
            if (Marshal.GetLastPInvokeError() != Libc.EIntr)
            {
                throw IoErrors.FromLastError(mac ? "F_FULLFSYNC" : "fdatasync", path);
            }
        }
    }

    public override void BeginWrite(long position, long length)
    {
        if (!OperatingSystem.IsLinux() || Volatile.Read(ref _cannotBeginWrite))
        {
            return;
        }

        try
        {
            // Only this flag: those that wait would also take an error away.
            _ = Libc.SyncFileRange(handle, position, length, Libc.SyncFileRangeWrite);
        }
        catch (EntryPointNotFoundException)
        {
            Volatile.Write(ref _cannotBeginWrite, true); // The C library does not have it.
        }
    }

    public override void UseDirectIo()
    {
        if (OperatingSystem.IsLinux() && Libc.FControl(handle, Libc.GetFileFlags) is var flags and >= 0)
        {
            // Some file systems (tmpfs) know no direct I/O: then it stays buffered.
            _ = Libc.FControl(handle, Libc.SetFileFlags, flags | DirectFlag);
        }
    }

    public override void StopReadAhead()
    {
        if (OperatingSystem.IsLinux())
        {
            _ = Libc.FAdvise(handle, 0, 0, Libc.AdviseRandom);
        }
    }

    public override void DropCache()
    {
        if (OperatingSystem.IsLinux())
        {
            _ = Libc.FAdvise(handle, 0, 0, Libc.AdviseDontNeed);
        }
    }

    public override long NextData(long position)
    {
        long length = Length;
        if (position >= length)
        {
            return length;
        }

        if (!OperatingSystem.IsLinux())
        {
            return position;
        }

        // Only the shared file offset moves, which nothing here uses. File systems without the call answer an error: then all is data.
        long next = Libc.Seek(handle, position, Libc.SeekData);
        return next >= 0 ? Math.Min(next, length) : Marshal.GetLastPInvokeError() == Libc.ENxIo ? length : position;
    }

    public override WalMap Map(bool writable) => new NativeMap(handle, checked((int)Length), writable);

    protected override void Dispose(bool disposing) => handle.Dispose();
}
