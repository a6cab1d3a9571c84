using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Danube.Fast.Protocol;

namespace Danube.Fast.Client;

/// <summary>Requests and answers of the control plane.</summary>
internal sealed partial class Connection
{
    private readonly Dictionary<string, PendingRequest> _requests = [];
    private ulong _lastCorrelation;

    /// <summary>Sends a request and waits for its answer.</summary>
    /// <param name="command">One of <see cref="Commands"/>.</param>
    /// <param name="payload">The request.</param>
    /// <param name="payloadType">How it is written.</param>
    /// <param name="replyType">How the answer is read; null when only its coming counts.</param>
    /// <param name="onReply">Called with the answer on the receiving thread before the next frame is looked at; null for none.</param>
    /// <param name="timeout">How long to wait for the answer; infinite for as long as the connection lives.</param>
    /// <param name="cancellationToken">Gives up waiting; the broker may still do it, and <paramref name="onReply"/> is still called.</param>
    /// <exception cref="DanubeException">The broker refuses, does not answer in time, or the connection is lost.</exception>
    public async Task<TReply> RequestAsync<TRequest, TReply>(
        string command, TRequest payload, JsonTypeInfo<TRequest> payloadType, JsonTypeInfo<TReply>? replyType,
        Action<TReply>? onReply, TimeSpan timeout, CancellationToken cancellationToken)
    {
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(payload, payloadType);
        PendingRequest request = Enter(command, onReply is null ? null : bytes => onReply(JsonSerializer.Deserialize(bytes.Span, replyType!)!));
        try
        {
            Send(new Envelope { Type = FrameType.Request, Id = command, CorrelationId = request.CorrelationId, Payload = json });
            ReadOnlyMemory<byte> reply = await request.Reply.WaitAsync(timeout, _options.TimeProvider, cancellationToken).ConfigureAwait(false);
            return replyType is null ? default! : JsonSerializer.Deserialize(reply.Span, replyType)!;
        }
        catch (TimeoutException e)
        {
            throw new DanubeException(ErrorCode.TimedOut, $"{Address} did not answer {command} within {timeout.TotalSeconds:0.#} s.", e) { CorrelationId = request.CorrelationId };
        }
        catch (JsonException e)
        {
            throw new DanubeException(ErrorCode.BadPayload, $"The answer of {Address} to {command} cannot be read: {e.Message}", e) { CorrelationId = request.CorrelationId };
        }
    }

    private PendingRequest Enter(string command, Action<ReadOnlyMemory<byte>>? onReply)
    {
        lock (_gate)
        {
            ThrowIfClosed();
            string id = (++_lastCorrelation).ToString(CultureInfo.InvariantCulture);
            var request = new PendingRequest(command, id, onReply);
            _requests.Add(id, request);
            return request;
        }
    }

    private void OnEnvelope(ReadOnlySpan<byte> frame)
    {
        if (!EnvelopeCodec.TryDecode(frame, EnvelopeMode.Strict, int.MaxValue, out Envelope? message, out ErrorCode error))
        {
            Close(new DanubeException(error, $"{Address} sent an envelope that cannot be read ({ErrorCodes.Name(error)})."));
            return;
        }

        if (IsOfPeer(message!))
        {
            OnPeer(message!);
            return;
        }

        switch (message!.Type)
        {
            case FrameType.Event when message.Id == Commands.Hello:
            case FrameType.Response when message.Id == Commands.Hello:
                OnHello(message.Payload ?? default);
                break;
            case FrameType.Response:
                Take(message.CorrelationId)?.Complete(message.Payload ?? "{}"u8.ToArray());
                break;
            case FrameType.Error:
                OnError(message);
                break;
        }
    }

    private void OnError(Envelope message)
    {
        ErrorPayload payload = ErrorBodies.Read(message);
        string? correlation = message.CorrelationId.Length > 0 ? message.CorrelationId : null;
        DanubeException error = DanubeException.FromBroker(payload, correlation);
        if (correlation is not null && (Take(correlation) ?? TakePeer(correlation)) is { } request)
        {
            request.Fail(error);
        }
        else if (_hello is not null)
        {
            Close(error);
        }
        else if (payload.Channel is { } number && TryFind(number, out BrokerChannel? channel))
        {
            channel!.OnStreamError(this, error);
        }
    }

    private PendingRequest? Take(string correlationId)
    {
        lock (_gate)
        {
            return _requests.Remove(correlationId, out PendingRequest? request) ? request : null;
        }
    }

    private void FailRequests(DanubeException cause)
    {
        PendingRequest[] open;
        TaskCompletionSource[] pings;
        lock (_gate)
        {
            open = [.. _requests.Values, .. _peerRequests.Values];
            pings = [.. _pings.Values];
            _requests.Clear();
            _peerRequests.Clear();
            _pings.Clear();
        }

        foreach (PendingRequest request in open)
        {
            request.Fail(cause.Copy());
        }

        foreach (TaskCompletionSource ping in pings)
        {
            ping.TrySetException(cause.Copy());
        }
    }
}
