using System.Net;
using System.Net.Sockets;
using Danube.Fast.Wal;
using Microsoft.Extensions.Logging;

namespace Danube.Fast.Server.Transport;

/// <summary>Accepts connections on one address. Runs on: the thread pool, one accept at a time.</summary>
internal sealed class Listener : IDisposable
{
    private const int Backlog = 512;
    private const int PauseAfterErrorMs = 100;

    private readonly Socket _socket;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stop = new();
    private Task _loop = Task.CompletedTask;

    private Listener(Socket socket, ILogger log)
    {
        _socket = socket;
        _log = log;
        EndPoint = (IPEndPoint)socket.LocalEndPoint!;
    }

    /// <summary>The address in use; the port is the real one when 0 was asked for.</summary>
    public IPEndPoint EndPoint { get; }

    /// <summary>Binds and listens; nothing is accepted before <see cref="Start"/>.</summary>
    /// <exception cref="SocketException">The address is in use or not of this machine.</exception>
    public static Listener Bind(IPEndPoint endPoint, ILogger log)
    {
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(endPoint);
            socket.Listen(Backlog);
            return new Listener(socket, log);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Accepts until <see cref="StopAsync"/>; <paramref name="onAccepted"/> owns the socket and must not block.</summary>
    public void Start(Action<Socket> onAccepted) => _loop = AcceptAsync(onAccepted);

    /// <summary>Closes the listening socket; new connections are refused by the system from here on.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        _socket.Dispose();
        await _loop;
    }

    public void Dispose()
    {
        _stop.Cancel();
        _socket.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync(Action<Socket> onAccepted)
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                Socket accepted = await _socket.AcceptAsync(_stop.Token);
                if (OperatingSystem.IsLinux() && HandleReserve.Contains(accepted.Handle))
                {
                    accepted.Dispose();
                    throw new SocketException((int)SocketError.TooManyOpenSockets);
                }

                onAccepted(accepted);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (ObjectDisposedException)
            {
                return;
            }
            catch (SocketException e) when (!_stop.IsCancellationRequested)
            {
                // Usually the process is out of descriptors: pause, so that the loop does not burn the machine meanwhile.
                Log.AcceptFailed(_log, e);
                await Task.Delay(PauseAfterErrorMs);
            }
            catch (SocketException)
            {
                return;
            }
        }
    }
}
