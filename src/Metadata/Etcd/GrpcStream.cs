using System.Net;
using Google.Protobuf;

namespace Danube.Fast.Metadata.Etcd;

/// <summary>Messages that a server sends while the request is open. One reader at a time.</summary>
internal sealed class GrpcStream<T>(
    GrpcEndpoint endpoint, OpenRequest request, HttpRequestMessage message, HttpResponseMessage response, Stream stream, MessageParser<T> parser)
    : IDisposable
    where T : class, IMessage<T>
{
    /// <summary>The next message.</summary>
    /// <exception cref="GrpcException">The stream ended, whatever its status.</exception>
    public async Task<T> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (await GrpcFrame.ReadAsync(stream, parser, cancellationToken) is { } next)
            {
                return next;
            }

            GrpcStatus status = GrpcStatus.From(response.TrailingHeaders) ?? new GrpcStatus(GrpcCode.Unavailable, "The stream has no end.");
            throw new GrpcException(status.Code == GrpcCode.Ok ? GrpcCode.Unavailable : status.Code, endpoint.Text(status));
        }
        catch (Exception e) when (e is not GrpcException && endpoint.AsGrpc(e, cancellationToken) is { } failure)
        {
            throw failure;
        }
    }

    public void Dispose()
    {
        request.End();
        response.Dispose();
        message.Dispose();
    }
}

/// <summary>A request body of one message that stays open until <see cref="End"/>.</summary>
internal sealed class OpenRequest(byte[] frame) : HttpContent
{
    private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void End() => _end.TrySetResult();

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        await stream.WriteAsync(frame, cancellationToken);
        await stream.FlushAsync(cancellationToken);
        await _end.Task.WaitAsync(cancellationToken);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
