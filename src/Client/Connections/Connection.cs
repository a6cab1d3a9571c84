using System.Net.Sockets;
using Danube.Fast.Protocol;

namespace Danube.Fast.Client;

/// <summary>
/// One TCP connection after HELLO: frames in, frames out, requests with their answers, channels by number. It never comes back after it broke;
/// <see cref="BrokerLink"/> makes the next one. Runs on: its receive loop (pool threads, one at a time); sends on any thread.
/// Shared with: the producers and consumers of the link.
/// </summary>
internal sealed partial class Connection : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly Socket _socket;
    private readonly DanubeClientOptions _options;
    private readonly ReceiveBuffer _input;
    private readonly Dictionary<uint, BrokerChannel> _channels = [];
    private readonly TaskCompletionSource _sendsEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly string _clientName;
    private readonly PeerInbox? _inbox;
    private Task _receiving = Task.CompletedTask;
    private DanubeException? _cause;

    private Connection(Socket socket, DanubeClientOptions options, BlockPool blocks, BrokerAddress address, string? clientName, PeerInbox? inbox)
    {
        _socket = socket;
        _options = options;
        _input = new ReceiveBuffer(blocks);
        _clientName = clientName ?? "";
        _inbox = inbox;
        Address = address;
        Sends = new SendQueue(socket, e => Close(Lost(e)), _sendsEnded.SetResult);
        _lastReceived = options.TimeProvider.GetTimestamp();
    }

    public BrokerAddress Address { get; }
    public SendQueue Sends { get; }

    /// <summary>What HELLO has agreed on.</summary>
    public HelloReply Hello { get; private set; } = new();

    /// <summary>Null while the connection is good.</summary>
    public DanubeException? Cause => Volatile.Read(ref _cause);
    public bool IsOpen => Cause is null;

    /// <summary>Completes when the connection is closed and neither the receive loop nor a send touches memory any more. Never fails.</summary>
    public Task Ended { get; private set; } = Task.CompletedTask;

    /// <summary>Makes frames of channel <paramref name="number"/> go to <paramref name="channel"/>.</summary>
    public void Register(uint number, BrokerChannel channel)
    {
        lock (_gate)
        {
            _channels[number] = channel;
        }
    }

    /// <summary>Forgets a channel number: frames that still name it are dropped.</summary>
    public void Unregister(uint number)
    {
        lock (_gate)
        {
            _channels.Remove(number);
        }
    }

    /// <summary>Tells the broker that a channel is done with and forgets it.</summary>
    public void CloseChannel(uint number)
    {
        Unregister(number);
        Span<byte> frame = stackalloc byte[ProtocolLimits.HeaderSize];
        CloseFrame.Write(frame, number, ErrorCode.None, default);
        Sends.TryEnqueue(frame);
        Sends.Flush();
    }

    /// <summary>Closes the connection. The first cause counts. Returns at once; see <see cref="Ended"/>.</summary>
    public void Close(DanubeException cause)
    {
        if (Interlocked.CompareExchange(ref _cause, cause, null) is not null)
        {
            return;
        }

        _socket.Dispose();
        Sends.Close();
    }

    public async ValueTask DisposeAsync()
    {
        Close(new DanubeException(ErrorCode.EndOfStream, "The client has closed the connection."));
        await Ended.ConfigureAwait(false);
    }

    private bool TryFind(uint number, out BrokerChannel? channel)
    {
        lock (_gate)
        {
            return _channels.TryGetValue(number, out channel);
        }
    }

    private DanubeException Lost(Exception? inner) =>
        new(ErrorCode.Unavailable, $"The connection to {Address} is lost: {inner?.Message ?? "the broker has closed it"}.", inner);

    private async Task EndAsync()
    {
        await _receiving.ConfigureAwait(false);
        await _sendsEnded.Task.ConfigureAwait(false);
        _input.Dispose();
        Sends.Dispose();
        FailRequests(Cause!);
    }
}
