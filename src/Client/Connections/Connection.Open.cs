using System.Net.Sockets;
using System.Text.Json;
using Danube.Fast.Protocol;

namespace Danube.Fast.Client;

/// <summary>From a name to a connection that has said HELLO.</summary>
internal sealed partial class Connection
{
    private TaskCompletionSource? _hello = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Connects and says HELLO within the connect timeout.</summary>
    /// <exception cref="DanubeException">The broker cannot be reached or refuses.</exception>
    public static async Task<Connection> OpenAsync(
        BrokerAddress address, DanubeClientOptions options, BlockPool blocks, string? clientName, PeerInbox? inbox, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(options.ConnectTimeout, options.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        Connection? connection = null;
        try
        {
            await socket.ConnectAsync(address.Host, address.Port, either.Token).ConfigureAwait(false);
            connection = new Connection(socket, options, blocks, address, clientName, inbox);
            await connection.SayHelloAsync(either.Token).ConfigureAwait(false);
            return connection;
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or DanubeException)
        {
            socket.Dispose();
            if (connection is not null)
            {
                await connection.DisposeAsync().ConfigureAwait(false);
            }

            cancellationToken.ThrowIfCancellationRequested();
            throw e as DanubeException ?? Unreachable(address, options, e);
        }
    }

    private static DanubeException Unreachable(BrokerAddress address, DanubeClientOptions options, Exception cause) => cause is SocketException
        ? new DanubeException(ErrorCode.Unavailable, $"No connection to {address}: {cause.Message}. Is the broker running there?", cause)
        : new DanubeException(ErrorCode.TimedOut, $"{address} did not answer HELLO within {options.ConnectTimeout.TotalSeconds:0.#} s.", cause);

    private async Task SayHelloAsync(CancellationToken cancellationToken)
    {
        Task answer = _hello!.Task;
        _receiving = ReceiveAsync();
        Ended = EndAsync();
        var hello = new HelloPayload
        {
            MaxFrame = _options.MaxFrame,
            Codecs = [.. Compression.Names],
            ClientName = _clientName.Length > 0 ? _clientName : null,
            Credentials = _options.Credentials,
        };
        Send(new Envelope
        {
            Type = FrameType.Event,
            Id = Commands.Hello,
            Payload = JsonSerializer.SerializeToUtf8Bytes(hello, ControlJson.Default.HelloPayload),
        });
        await answer.WaitAsync(cancellationToken).ConfigureAwait(false);
        if (Hello.Version < 2 || Hello.MaxFrame < ProtocolLimits.MaxFrameBeforeHello)
        {
            throw new DanubeException(ErrorCode.UnsupportedVersion, $"{Address} offers protocol version {Hello.Version} with frames of {Hello.MaxFrame} bytes; this client needs version 2.");
        }
    }

    private void OnHello(ReadOnlyMemory<byte> payload)
    {
        try
        {
            Hello = JsonSerializer.Deserialize(payload.Span, ControlJson.Default.HelloReply) ?? Hello;
            _hello?.TrySetResult();
            _hello = null;
        }
        catch (JsonException e)
        {
            Close(new DanubeException(ErrorCode.BadPayload, $"The HELLO of {Address} cannot be read: {e.Message}", e));
        }
    }

    private void Send(Envelope message)
    {
        Sends.TryEnqueue(EnvelopeCodec.Encode(message, PayloadEncoding.Json));
        Sends.Flush();
    }
}
