using System.Net;
using System.Net.Sockets;

namespace Danube.Fast.LoadTests.Traffic;

/// <summary>
/// Passes bytes between clients and the broker until it is told to cut all connections at once, in the middle of whatever is on its way: what a failing
/// switch does. Shared with: the scenario.
/// </summary>
public sealed class CuttableRelay : IDisposable
{
    private const int BufferBytes = 16 * 1024, Backlog = 4096;

    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly HashSet<Socket> _open = [];
    private readonly EndPoint _target;

    /// <param name="host">The broker's host.</param>
    /// <param name="port">The broker's port.</param>
    public CuttableRelay(string host, int port)
    {
        _target = IPAddress.TryParse(host, out IPAddress? address) ? new IPEndPoint(address, port) : new DnsEndPoint(host, port);
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(Backlog);
        Port = ((IPEndPoint)_listener.LocalEndPoint!).Port;
        _ = AcceptAsync();
    }

    /// <summary>Where clients connect to.</summary>
    public int Port { get; }

    /// <summary>Connections of clients that are open now.</summary>
    public int Connections
    {
        get
        {
            lock (_open)
            {
                return _open.Count / 2;
            }
        }
    }

    /// <summary>Resets every connection. New ones are passed on as before.</summary>
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
            Close(socket);
        }
    }

    public void Dispose()
    {
        _listener.Dispose();
        Cut();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = ServeAsync(await _listener.AcceptAsync());
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Disposed.
        }
    }

    private async Task ServeAsync(Socket client)
    {
        var broker = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        client.NoDelay = true;
        lock (_open)
        {
            _open.Add(client);
            _open.Add(broker);
        }

        try
        {
            await broker.ConnectAsync(_target);
            await Task.WhenAny(PassAsync(client, broker), PassAsync(broker, client));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Cut, or the broker is not there.
        }

        lock (_open)
        {
            _open.Remove(client);
            _open.Remove(broker);
        }

        Close(client);
        Close(broker);
    }

    private static async Task PassAsync(Socket from, Socket to)
    {
        byte[] buffer = new byte[BufferBytes];
        try
        {
            for (int received; (received = await from.ReceiveAsync(buffer)) > 0;)
            {
                for (int sent = 0; sent < received;)
                {
                    sent += await to.SendAsync(buffer.AsMemory(sent, received - sent));
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Cut.
        }
    }

    private static void Close(Socket socket)
    {
        try
        {
            socket.LingerState = new LingerOption(true, 0);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Closed already.
        }

        socket.Dispose();
    }
}
