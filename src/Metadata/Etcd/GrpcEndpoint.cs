using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using Google.Protobuf;

namespace Danube.Fast.Metadata.Etcd;

/// <summary>
/// One server that speaks gRPC: a single HTTP/2 connection (prior knowledge, or ALPN under TLS) that is opened when needed and
/// probed while it is silent. Every way in which a call can fail is a <see cref="GrpcException"/>, except that the caller gave up.
/// Runs on: any thread. Shared with: all callers of a connection.
/// </summary>
internal sealed class GrpcEndpoint : IDisposable
{
    private static readonly MediaTypeHeaderValue ContentType = new("application/grpc");

    private readonly Uri _address;
    private readonly HttpMessageInvoker _http;

    public GrpcEndpoint(Uri address, SslClientAuthenticationOptions? tls, TimeSpan probeInterval, TimeSpan connectTimeout)
    {
        _address = address;
        var handler = new SocketsHttpHandler
        {
            ConnectTimeout = connectTimeout,
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            ActivityHeadersPropagator = null,
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
            KeepAlivePingDelay = probeInterval,
            KeepAlivePingTimeout = probeInterval / 2,
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            InitialHttp2StreamWindowSize = 1024 * 1024,
        };
        if (tls is not null)
        {
            handler.SslOptions = tls;
        }

        _http = new HttpMessageInvoker(handler, disposeHandler: true);
    }

    /// <summary>Host and port, for people.</summary>
    public string Name => _address.Authority;

    /// <summary>One message there, one back.</summary>
    public async Task<T> CallAsync<T>(
        string method, IMessage request, MessageParser<T> parser, string? token, TimeSpan timeout, CancellationToken cancellationToken)
        where T : class, IMessage<T>
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(timeout);
        using HttpRequestMessage message = NewRequest(method, new ByteArrayContent(GrpcFrame.Encode(request)), token);
        message.Headers.Add("grpc-timeout", ((long)timeout.TotalMilliseconds).ToString(CultureInfo.InvariantCulture) + "m");
        try
        {
            using HttpResponseMessage response = await SendAsync(message, deadline.Token);
            await using Stream stream = await response.Content.ReadAsStreamAsync(deadline.Token);
            T? answer = await GrpcFrame.ReadAsync(stream, parser, deadline.Token);
            while (await GrpcFrame.ReadAsync(stream, parser, deadline.Token) is not null)
            {
                // One answer is expected; the trailers are there only when everything was read.
            }

            GrpcStatus status = GrpcStatus.From(response.TrailingHeaders) ?? new GrpcStatus(GrpcCode.Unavailable, "The answer has no end.");
            return status.Code == GrpcCode.Ok && answer is not null ? answer : throw new GrpcException(status.Code, Text(status));
        }
        catch (Exception e) when (AsGrpc(e, cancellationToken) is { } failure)
        {
            throw failure;
        }
    }

    /// <summary>One message there, many back; the request stays open until the stream is disposed.</summary>
    public async Task<GrpcStream<T>> OpenAsync<T>(
        string method, IMessage request, MessageParser<T> parser, string? token, TimeSpan timeout, CancellationToken cancellationToken)
        where T : class, IMessage<T>
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(timeout);
        var content = new OpenRequest(GrpcFrame.Encode(request));
        HttpRequestMessage message = NewRequest(method, content, token);
        try
        {
            HttpResponseMessage response = await SendAsync(message, deadline.Token);
            return new GrpcStream<T>(this, content, message, response, await response.Content.ReadAsStreamAsync(deadline.Token), parser);
        }
        catch (Exception e)
        {
            content.End();
            message.Dispose();
            if (AsGrpc(e, cancellationToken) is { } failure)
            {
                throw failure;
            }

            throw;
        }
    }

    public void Dispose() => _http.Dispose();

    /// <summary>The failure as one of gRPC; null when the caller gave up or the fault is the program's.</summary>
    internal GrpcException? AsGrpc(Exception e, CancellationToken caller) => e switch
    {
        GrpcException g => g,
        OperationCanceledException when caller.IsCancellationRequested => null,
        OperationCanceledException => new GrpcException(GrpcCode.DeadlineExceeded, $"{Name} did not answer in time.", inner: e),
        HttpRequestException
        {
            HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError,
        } => new GrpcException(GrpcCode.Unavailable, $"{Name} cannot be reached: {e.Message}", wasSent: false, e),
        HttpRequestException or IOException =>
            new GrpcException(GrpcCode.Unavailable, $"The connection to {Name} was lost: {e.Message}", inner: e),
        _ => null,
    };

    internal string Text(GrpcStatus status) => $"{Name} answered: {status.Message} ({status.Code})";

    private HttpRequestMessage NewRequest(string method, HttpContent content, string? token)
    {
        content.Headers.ContentType = ContentType;
        var message = new HttpRequestMessage(HttpMethod.Post, new Uri(_address, method))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = content,
        };
        message.Headers.Add("te", "trailers");
        message.Headers.Add("hasleader", "true");
        if (token is not null)
        {
            message.Headers.TryAddWithoutValidation("token", token);
        }

        return message;
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage message, CancellationToken cancellationToken)
    {
        HttpResponseMessage response = await _http.SendAsync(message, cancellationToken);
        GrpcException? failure = response.StatusCode != HttpStatusCode.OK
            ? new GrpcException(GrpcCode.Unavailable, $"{Name} answered with HTTP status {(int)response.StatusCode}.")
            : GrpcStatus.From(response.Headers) is { Code: not GrpcCode.Ok } status ? new GrpcException(status.Code, Text(status)) : null;
        if (failure is not null)
        {
            response.Dispose();
            throw failure;
        }

        return response;
    }
}
