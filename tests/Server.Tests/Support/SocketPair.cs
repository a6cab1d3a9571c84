using System.Net;
using System.Net.Sockets;

namespace Danube.Fast.Server.Tests;

/// <summary>Two ends of one loopback connection.</summary>
internal sealed class SocketPair : IDisposable
{
    private SocketPair(Socket near, Socket far)
    {
        Near = near;
        Far = far;
    }

    /// <summary>The end under test; non-blocking, as a connection makes it.</summary>
    public Socket Near { get; }

    /// <summary>The peer; blocking.</summary>
    public Socket Far { get; }

    public static SocketPair Create(int? bufferBytes = null)
    {
        using var listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1);
        var far = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveTimeout = 300_000 };
        if (bufferBytes is { } bytes)
        {
            far.ReceiveBufferSize = bytes;
        }

        far.Connect(listener.LocalEndPoint!);
        Socket near = listener.Accept();
        near.NoDelay = true;
        near.Blocking = false;
        if (bufferBytes is not null)
        {
            near.SendBufferSize = bufferBytes.Value;
        }

        return new SocketPair(near, far);
    }

    public byte[] ReceiveFar(int count)
    {
        byte[] bytes = new byte[count];
        for (int at = 0; at < count;)
        {
            int received = Far.Receive(bytes, at, count - at, SocketFlags.None);
            Assert.True(received > 0, "the connection ended early");
            at += received;
        }

        return bytes;
    }

    public void Dispose()
    {
        Near.Dispose();
        Far.Dispose();
    }
}
