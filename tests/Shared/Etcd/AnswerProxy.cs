using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Danube.Fast.Tests.Etcd;

/// <summary>
/// A TCP proxy in front of a server: passes bytes on, until a test makes it hold the server's answers, cut its connections or let no
/// new ones in.
/// </summary>
internal sealed class AnswerProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<TcpClient, TcpClient> _pairs = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly int _port;
    private readonly Task _accepting;
    private volatile TaskCompletionSource _passing = Open();
    private volatile bool _closed;

    public AnswerProxy(int port)
    {
        _port = port;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public Uri Endpoint => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    /// <summary>From now on the server's bytes wait in the proxy.</summary>
    public void HoldAnswers() => _passing = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void PassAnswers() => _passing.TrySetResult();

    /// <summary>Ends all connections; what is held is lost.</summary>
    public void Cut()
    {
        foreach ((TcpClient client, TcpClient server) in _pairs)
        {
            client.Dispose();
            server.Dispose();
        }
    }

    /// <summary>Cuts, and ends new connections at once.</summary>
    public void Close()
    {
        _closed = true;
        Cut();
    }

    public void Reopen() => _closed = false;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        PassAnswers();
        _listener.Stop();
        Cut();
        await _accepting;
        _stop.Dispose();
    }

    private static TaskCompletionSource Open()
    {
        var open = new TaskCompletionSource();
        open.SetResult();
        return open;
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                TcpClient client = await _listener.AcceptTcpClientAsync(_stop.Token);
                if (_closed)
                {
                    client.Dispose();
                    continue;
                }

                _ = PassAsync(client);
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
            {
                // The end, or a client that was gone before it was accepted.
            }
        }
    }

    private async Task PassAsync(TcpClient client)
    {
        using TcpClient server = new() { NoDelay = true };
        using (client)
        {
            try
            {
                client.NoDelay = true;
                await server.ConnectAsync(IPAddress.Loopback, _port, _stop.Token);
                _pairs[client] = server;
                if (!_closed)
                {
                    await Task.WhenAny(CopyAsync(client, server, held: false), CopyAsync(server, client, held: true));
                }
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException)
            {
                // The server is away: the client sees its connection end.
            }
            finally
            {
                _pairs.TryRemove(client, out _);
            }
        }
    }

    private async Task CopyAsync(TcpClient from, TcpClient to, bool held)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (true)
            {
                int read = await from.GetStream().ReadAsync(buffer);
                if (read == 0)
                {
                    return;
                }

                if (held)
                {
                    await _passing.Task;
                }

                await to.GetStream().WriteAsync(buffer.AsMemory(0, read));
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // One side is gone.
        }
    }
}
