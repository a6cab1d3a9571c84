using System.Runtime.InteropServices;

namespace Danube.Fast.Cli.Terminal;

/// <summary>
/// Standard output as bytes. Unlike the runtime's console stream it says when nobody reads any more (a consumer whose messages
/// go nowhere must stop), and unlike a file stream it moves the file position that the shell shares with the next command.
/// </summary>
internal sealed partial class StandardOutput : Stream
{
    private const int Descriptor = 1;
    private const int Interrupted = 4;
    private const int BrokenPipe = 32;
    private const short Writable = 4;

    // EAGAIN: 11 on Linux, 35 on macOS.
    private static readonly int WouldBlock = OperatingSystem.IsMacOS() ? 35 : 11;

    public override bool CanRead => false;
    public override bool CanSeek => false;
    public override bool CanWrite => true;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <summary>The standard output of this process.</summary>
    public static Stream Open() => OperatingSystem.IsWindows() ? Console.OpenStandardOutput() : new StandardOutput();

    /// <exception cref="OutputClosedException">The reader has gone.</exception>
    /// <exception cref="IOException">The output cannot be written (a full disk, say).</exception>
    public override unsafe void Write(ReadOnlySpan<byte> buffer)
    {
        while (buffer.Length > 0)
        {
            nint written;
            fixed (byte* bytes = buffer)
            {
                written = NativeWrite(Descriptor, bytes, buffer.Length);
            }

            if (written >= 0)
            {
                buffer = buffer[(int)written..];
                continue;
            }

            int error = Marshal.GetLastPInvokeError();
            if (error == WouldBlock)
            {
                var wait = new PollDescriptor { Descriptor = Descriptor, Events = Writable };
                NativePoll(ref wait, 1, -1);
            }
            else if (error == BrokenPipe)
            {
                throw new OutputClosedException();
            }
            else if (error != Interrupted)
            {
                throw new IOException("The output cannot be written: " + Marshal.GetPInvokeErrorMessage(error) + ".");
            }
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static unsafe partial nint NativeWrite(int descriptor, byte* bytes, nint count);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static partial int NativePoll(ref PollDescriptor descriptor, nuint count, int timeoutMs);

    [StructLayout(LayoutKind.Sequential)]
    private struct PollDescriptor
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }
}

/// <summary>Whoever read the standard output has closed it: the end of the work, not an error.</summary>
internal sealed class OutputClosedException() : IOException("The reader of the output has gone.");
