using System.Net;
using System.Net.Sockets;

namespace Danube.Fast.EndToEnd.Tests;

/// <summary>Stands between a client and a broker, and changes one bit of the first copy of a payload on its way to the client.</summary>
internal sealed class FlippingProxy : IAsyncDisposable
{
    private readonly Socket _listener = new(SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource _stop = new();
    private readonly IPEndPoint _broker;
    private readonly byte[] _payload;
    private readonly Task _accepting;
    private int _flips;

    public FlippingProxy(string broker, byte[] payload)
    {
        _broker = IPEndPoint.Parse(broker);
        _payload = payload;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        Address = $"127.0.0.1:{((IPEndPoint)_listener.LocalEndPoint!).Port}";
        _accepting = AcceptAsync();
    }

    /// <summary>host:port.</summary>
    public string Address { get; }

    public bool HasFlipped => Volatile.Read(ref _flips) > 0;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true)
            {
                connections.Add(ForwardAsync(await _listener.AcceptAsync(_stop.Token)));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task ForwardAsync(Socket client)
    {
        using (client)
        {
            using var broker = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            client.NoDelay = true;
            try
            {
                await broker.ConnectAsync(_broker, _stop.Token);
                await Task.WhenAny(PumpAsync(client, broker, flips: false), PumpAsync(broker, client, flips: true));
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException)
            {
                // The side that is left sees its connection end.
            }
        }
    }

    private async Task PumpAsync(Socket from, Socket to, bool flips)
    {
        byte[] buffer = new byte[64 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer, _stop.Token) is int length and > 0)
            {
                int at = flips && !HasFlipped ? buffer.AsSpan(0, length).IndexOf(_payload) : -1;
                if (at >= 0)
                {
                    buffer[at + 30] ^= 0x04;
                    Interlocked.Increment(ref _flips);
                }

                for (int sent = 0; sent < length;)
                {
                    sent += await to.SendAsync(buffer.AsMemory(sent, length - sent), _stop.Token);
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The pair ends.
        }
    }
}
