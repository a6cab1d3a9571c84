using System.Net;
using System.Net.Sockets;

namespace Danube.Fast.Client.Tests;

/// <summary>Passes bytes between the client and the broker until it is told to cut all connections, in the middle of whatever is on its way.</summary>
internal sealed class CuttingProxy : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly List<Socket> _open = [];
    private readonly int _target;

    public CuttingProxy(int target)
    {
        _target = target;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(16);
        Port = ((IPEndPoint)_listener.LocalEndPoint!).Port;
        new Thread(Accept) { IsBackground = true, Name = "proxy" }.Start();
    }

    public int Port { get; }
    public int Connections { get; private set; }

    public void Cut()
    {
        Socket[] open;
        lock (_open)
        {
            open = [.. _open];
            _open.Clear();
        }

        foreach (Socket socket in open)
        {
            socket.Dispose();
        }
    }

    public void Dispose()
    {
        _listener.Dispose();
        Cut();
    }

    private void Accept()
    {
        try
        {
            while (true)
            {
                Socket client = _listener.Accept();
                var broker = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                broker.Connect(IPAddress.Loopback, _target);
                Connections++;
                lock (_open)
                {
                    _open.Add(client);
                    _open.Add(broker);
                }

                Pass(client, broker);
                Pass(broker, client);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Disposed.
        }
    }

    private static void Pass(Socket from, Socket to) => new Thread(() =>
    {
        byte[] buffer = new byte[64 * 1024];
        try
        {
            for (int received; (received = from.Receive(buffer)) > 0;)
            {
                to.Send(buffer.AsSpan(0, received));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Cut.
        }

        from.Dispose();
        to.Dispose();
    })
    { IsBackground = true, Name = "proxy" }.Start();
}
