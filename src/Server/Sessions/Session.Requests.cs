using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Danube.Fast.Protocol;
using Danube.Fast.Server.Sessions.Lines;
using Danube.Fast.Wal;

namespace Danube.Fast.Server.Sessions;

/// <summary>Version-1 frames: HELLO first, then requests. One at a time, in the order they came; creations see Session.Creating.cs.</summary>
internal sealed partial class Session
{
    private const int NoSpaceLeft = 28; // ENOSPC, as .NET reports it.

    private async ValueTask HandleEnvelopeAsync(ReadOnlyMemory<byte> frame)
    {
        if (!EnvelopeCodec.TryDecode(frame.Span, EnvelopeMode.Strict, _maxFrame, out Envelope? message, out ErrorCode error))
        {
            RejectConnection(error, ErrorTexts.Of(error));
            return;
        }

        await HandleMessageAsync(message!, (PayloadEncoding)frame.Span[3], frame);
    }

    /// <param name="message">What came.</param>
    /// <param name="encoding">How.</param>
    /// <param name="frame">The same as a frame; empty when it came as a line.</param>
    private async ValueTask HandleMessageAsync(Envelope message, PayloadEncoding encoding, ReadOnlyMemory<byte> frame)
    {
        _counters.OnReceived(message.Type, encoding);
        if (message.Type == FrameType.Event && message.Id == Commands.Hello)
        {
            OnHello(message);
        }
        else if (!_helloDone)
        {
            RejectConnection(ErrorCode.HelloRequired, "The first frame of a connection is the event $hello.");
        }
        else if (IsForClient(message))
        {
            Route(message, frame.Span);
        }
        else if (message.Type == FrameType.Request)
        {
            await HandleRequestAsync(message);
        }
        else if (message.Type == FrameType.Event)
        {
            Refuse(message, new Refusal(ErrorCode.UnknownRequest, $"The event '{Printable(message.Id)}' means nothing to the broker."));
        }
    }

    private async ValueTask HandleRequestAsync(Envelope request)
    {
        if (!await BeginsAsync(request))
        {
            await AnswerAsync(request);
        }
    }

    private async ValueTask AnswerAsync(Envelope request)
    {
        try
        {
            Refusal? refusal = await DispatchAsync(request);
            _services.Requests.OnRequest(request.Id, refusal is null);
            if (refusal is not null)
            {
                Refuse(request, refusal);
            }
        }
        catch (JsonException e)
        {
            Refuse(request, new Refusal(ErrorCode.BadRequest, $"The payload of {Printable(request.Id)} is not what it must be: {JsonFault.Describe(e)}"));
        }
        catch (IOException e)
        {
            Log.RequestFailed(_services.Log, e, Printable(request.Id), Printable(request.CorrelationId), _connection.Id);
            Refuse(request, e is DiskFullException or { HResult: NoSpaceLeft }
                ? new Refusal(ErrorCode.DiskFull, "The broker's disk is full: try again when space was freed.")
                : new Refusal(ErrorCode.Unavailable, "The broker cannot write to its disk: " + e.Message));
        }
        catch (Exception e)
        {
            Log.RequestFailed(_services.Log, e, Printable(request.Id), Printable(request.CorrelationId), _connection.Id);
            Refuse(request, new Refusal(ErrorCode.Internal, "The broker failed on this request; its log says more."));
        }
    }

    private ValueTask<Refusal?> DispatchAsync(Envelope request) => request.Id switch
    {
        Commands.CreateProducer => CreateProducerAsync(request),
        Commands.Subscribe => SubscribeAsync(request),
        Commands.Unsubscribe => UnsubscribeAsync(request),
        Commands.Seek => SeekAsync(request),
        Commands.Skip => SkipAsync(request),
        Commands.Purge => PurgeAsync(request),
        Commands.PurgeTopic => PurgeTopicAsync(request),
        Commands.Peek => PeekAsync(request),
        Commands.Lookup => LookupAsync(request),
        Commands.DescribeSubscription => DescribeSubscriptionAsync(request),
        Commands.SetTopicPolicy => SetTopicPolicyAsync(request),
        Commands.SetNamespacePolicy => SetNamespacePolicyAsync(request),
        Commands.DescribeNamespace => DescribeNamespaceAsync(request),
        Commands.CreateTopic => CreateTopicAsync(request),
        Commands.DeleteTopic => DeleteTopicAsync(request),
        Commands.ListTopics => ListTopicsAsync(request),
        Commands.DescribeTopic => DescribeTopicAsync(request),
        Commands.GetMessageStats => GetMessageStatsAsync(request),
        Commands.GetMessageCount => GetMessageCountAsync(request),
        _ when _lines is not null => DispatchLineAsync(request),
        _ => UnknownAsync(request),
    };

    private static ValueTask<Refusal?> UnknownAsync(Envelope request) =>
        ValueTask.FromResult<Refusal?>(new Refusal(ErrorCode.UnknownRequest, $"The broker knows no request '{Printable(request.Id)}'."));

    /// <exception cref="JsonException">The payload is no such object.</exception>
    private static T Read<T>(Envelope request, JsonTypeInfo<T> type)
    {
        ReadOnlySpan<byte> payload = request.Payload is { } body ? body.Span : "{}"u8;
        return JsonSerializer.Deserialize(payload, type) ?? throw new JsonException("null is no object.");
    }

    internal void Reply<T>(Envelope request, T reply, JsonTypeInfo<T> type)
    {
        byte[] frame = _codec.Encode(new Envelope
        {
            Type = FrameType.Response,
            Id = request.Id,
            Source = BrokerSource,
            Target = request.Source,
            CorrelationId = request.CorrelationId,
            Payload = JsonSerializer.SerializeToUtf8Bytes(reply, _lines is null ? type : (JsonTypeInfo<T>)LineCodec.Json.GetTypeInfo(typeof(T))!),
        });
        if (frame.Length > _maxFrame)
        {
            Refuse(request, new Refusal(ErrorCode.LimitExceeded, $"The reply has {frame.Length} bytes, HELLO agreed on {_maxFrame}: ask for less (a namespace, say)."));
            return;
        }

        _counters.OnSent(FrameType.Response, PayloadEncoding.Json);
        _output.Send(frame);
    }

    internal void Refuse(Envelope request, Refusal refusal) =>
        SendErrorFrame(request.Id, request.Source, request.CorrelationId, refusal.Code, refusal.Message, null, null, refusal.Redirect);

    // Ids come from the peer: what goes into texts and logs is cut to letters that harm nobody.
    private static string Printable(string id) => string.Concat(id.Select(c => c is > ' ' and < (char)127 ? c : '?'));
}
