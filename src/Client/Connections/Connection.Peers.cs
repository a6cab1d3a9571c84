using System.Globalization;
using Danube.Fast.Protocol;

namespace Danube.Fast.Client;

/// <summary>Envelopes between this client and others, which the broker only passes on.</summary>
internal sealed partial class Connection
{
    private const string BrokerSource = PeerNames.Broker;

    // Of events; beyond it the sender waits until the broker has read what was sent.
    private const int MaxUnconfirmedBytes = 1024 * 1024;

    private readonly Dictionary<string, PendingRequest> _peerRequests = [];

    // Behind the counter: an answer that was meant for a former connection of the same name must not match.
    private readonly string _correlationEnd = string.Create(CultureInfo.InvariantCulture, $"-{Random.Shared.Next():x}");
    private int _unconfirmedBytes;

    /// <summary>Asks another client and waits for its answer.</summary>
    /// <exception cref="DanubeException">There is no such client, it answers with an error or not in time, or the connection is lost.</exception>
    public async Task<ReadOnlyMemory<byte>> RequestPeerAsync(string target, string id, ReadOnlyMemory<byte> payload, TimeSpan timeout, CancellationToken cancellationToken)
    {
        CheckPeerLength(payload);
        PendingRequest request;
        lock (_gate)
        {
            ThrowIfClosed();
            request = new PendingRequest(id, (++_lastCorrelation).ToString(CultureInfo.InvariantCulture) + _correlationEnd, null) { Target = target };
            _peerRequests.Add(request.CorrelationId, request);
        }

        try
        {
            SendPlain(new Envelope
            {
                Type = FrameType.Request,
                Id = id,
                Source = _clientName,
                Target = target,
                CorrelationId = request.CorrelationId,
                Payload = payload,
            });
            return await request.Reply.WaitAsync(timeout, _options.TimeProvider, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException e)
        {
            throw new DanubeException(ErrorCode.TimedOut, $"Client '{target}' did not answer '{id}' within {timeout.TotalSeconds:0.#} s.", e) { CorrelationId = request.CorrelationId };
        }
        finally
        {
            TakePeer(request.CorrelationId);
        }
    }

    /// <summary>Tells another client something.</summary>
    public async ValueTask SendEventAsync(string target, string id, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        CheckPeerLength(payload);
        lock (_gate)
        {
            ThrowIfClosed();
        }

        SendPlain(new Envelope { Type = FrameType.Event, Id = id, Source = _clientName, Target = target, Payload = payload });
        if (Interlocked.Add(ref _unconfirmedBytes, ProtocolLimits.HeaderSize + payload.Length) > MaxUnconfirmedBytes)
        {
            Interlocked.Exchange(ref _unconfirmedBytes, 0);
            await PingAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Answers a request of another client. Without effect when the connection is lost.</summary>
    public void Respond(Envelope request, ReadOnlyMemory<byte> payload)
    {
        CheckPeerLength(payload);
        SendPlain(new Envelope
        {
            Type = FrameType.Response,
            Id = request.Id,
            Source = _clientName,
            Target = request.Source,
            CorrelationId = request.CorrelationId,
            Payload = payload,
        });
    }

    public void RespondError(Envelope request, ErrorPayload error)
    {
        var header = new Envelope { Id = request.Id, Source = _clientName, Target = request.Source, CorrelationId = request.CorrelationId };
        Sends.TryEnqueue(EnvelopeCodec.EncodeError(header, error));
        Sends.Flush();
    }

    /// <summary>True for an envelope that another client has sent; the broker's own say so or have no source.</summary>
    private static bool IsOfPeer(Envelope message) => message.Source.Length > 0 && message.Source != BrokerSource;

    private void OnPeer(Envelope message)
    {
        switch (message.Type)
        {
            case FrameType.Response:
                TakePeer(message.CorrelationId, message.Source)?.Complete(PeerText.PayloadOf(message));
                break;
            case FrameType.Error:
                TakePeer(message.CorrelationId, message.Source)?.Fail(DanubeException.FromPeer(message.Source, ErrorBodies.Read(message), message.CorrelationId));
                break;
            default:
                _inbox?.Accept(this, message);
                break;
        }
    }

    /// <summary>Takes a request out. With a source, which the broker vouches for, only when that is the client that was asked: ids can be guessed.</summary>
    private PendingRequest? TakePeer(string correlationId, string? source = null)
    {
        lock (_gate)
        {
            return _peerRequests.TryGetValue(correlationId, out PendingRequest? request) && (source is null || source == request.Target) && _peerRequests.Remove(correlationId)
                ? request
                : null;
        }
    }

    private void SendPlain(Envelope message)
    {
        Sends.TryEnqueue(EnvelopeCodec.Encode(message, PayloadEncoding.Plain));
        Sends.Flush();
    }

    private void CheckPeerLength(ReadOnlyMemory<byte> payload)
    {
        if (payload.Length > Hello.MaxFrame - ProtocolLimits.HeaderSize)
        {
            throw new DanubeException(
                ErrorCode.FrameTooLarge, $"A message to another client can have {Hello.MaxFrame - ProtocolLimits.HeaderSize} bytes on this connection; this one has {payload.Length}.");
        }
    }

    private void ThrowIfClosed()
    {
        if (Cause is { } cause)
        {
            throw cause.Copy();
        }
    }
}
