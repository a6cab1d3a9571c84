using System.Buffers;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Danube.Fast.Server.Transport;

/// <summary>
/// The sending half of a socket: a gathered non-blocking send where the system has one (Linux), and an asynchronous send that
/// completes when the bytes have left. This is the seam at which an encrypted transport would slip in.
/// Runs on: the one thread that sends for the queue at a time. Shared with: the socket engine.
/// </summary>
internal sealed partial class SocketSender(Socket socket, Action<int, SocketError> onSent)
    : SocketAsyncEventArgs(true)
{
    /// <summary>Parts of one gathered send.</summary>
    public const int MaxParts = 8;

    private const int DontWait = 0x40, NoSignal = 0x4000;
    private const int Again = 11, Interrupted = 4, Pipe = 32;

    private readonly SafeSocketHandle _handle = socket.SafeHandle;

    /// <summary>True when <see cref="TrySend"/> can send at all.</summary>
    public static bool HasGatheredSend { get; } = OperatingSystem.IsLinux();

    /// <summary>
    /// Sends what fits into the kernel's buffer now. <paramref name="error"/> is <see cref="SocketError.WouldBlock"/> when that is nothing.
    /// </summary>
    public unsafe int TrySend(ReadOnlySpan<SendPart> parts, out SocketError error)
    {
        PinnedParts pins = default;
        IoVector* vectors = stackalloc IoVector[MaxParts];
        try
        {
            for (int i = 0; i < parts.Length; i++)
            {
                ReadOnlyMemory<byte> bytes = parts[i].Bytes;
                if (parts[i].Chunk is { } chunk)
                {
                    vectors[i].Base = Unsafe.AsPointer(ref chunk.Array[parts[i].Start]);
                }
                else
                {
                    pins[i] = bytes.Pin();
                    vectors[i].Base = pins[i].Pointer;
                }

                vectors[i].Length = (nuint)bytes.Length;
            }

            MessageHeader message = default;
            message.Vectors = vectors;
            message.VectorCount = (nuint)parts.Length;
            return Send(&message, out error);
        }
        finally
        {
            for (int i = 0; i < parts.Length; i++)
            {
                pins[i].Dispose();
            }
        }
    }

    /// <summary>
    /// Sends all of <paramref name="bytes"/>, waiting for room as long as it takes. True: the completion is called later, on another thread.
    /// False: it is done, <see cref="SocketAsyncEventArgs.BytesTransferred"/> and <see cref="SocketAsyncEventArgs.SocketError"/> say how.
    /// </summary>
    public bool SendAsync(ReadOnlyMemory<byte> bytes)
    {
        SetBuffer(MemoryMarshal.AsMemory(bytes));
        return socket.SendAsync(this);
    }

    /// <summary>Forgets the last buffer, so that a released run is not kept in memory.</summary>
    public void Clear()
    {
        try
        {
            SetBuffer(Memory<byte>.Empty);
        }
        catch (ObjectDisposedException)
        {
            // The connection was closed while the send was on its way; thrown on a thread of the socket engine this would end the process.
        }
    }

    protected override void OnCompleted(SocketAsyncEventArgs e) => onSent(BytesTransferred, SocketError);

    private unsafe int Send(MessageHeader* message, out SocketError error)
    {
        try
        {
            while (true)
            {
                nint sent = SendMessage(_handle, message, DontWait | NoSignal);
                if (sent >= 0)
                {
                    error = SocketError.Success;
                    return (int)sent;
                }

                int errno = Marshal.GetLastPInvokeError();
                if (errno != Interrupted)
                {
                    error = errno == Again ? SocketError.WouldBlock : errno == Pipe ? SocketError.Shutdown : SocketError.ConnectionReset;
                    return 0;
                }
            }
        }
        catch (ObjectDisposedException)
        {
            error = SocketError.OperationAborted;
            return 0;
        }
    }

    [LibraryImport("libc", EntryPoint = "sendmsg", SetLastError = true)]
    private static unsafe partial nint SendMessage(SafeSocketHandle socket, MessageHeader* message, int flags);

    /// <summary><c>struct iovec</c>.</summary>
    private unsafe struct IoVector
    {
        public void* Base;
        public nuint Length;
    }

    /// <summary><c>struct msghdr</c> of 64-bit Linux.</summary>
    private unsafe struct MessageHeader
    {
        public void* Name;
        public nuint NameLength;
        public IoVector* Vectors;
        public nuint VectorCount;
        public void* Control;
        public nuint ControlLength;
        public nint Flags;
    }

    [InlineArray(MaxParts)]
    private struct PinnedParts
    {
        private MemoryHandle _first;
    }
}
