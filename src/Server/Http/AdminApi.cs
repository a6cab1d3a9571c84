using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Danube.Fast.Protocol;
using Danube.Fast.Server.Load;
using Danube.Fast.Server.Metrics;
using Danube.Fast.Server.Topics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Danube.Fast.Server.Http;

/// <summary>
/// Routes the HTTP port: health, metrics, admin API. What lies below a topic is in AdminApi.Topics.cs, namespaces in AdminApi.Namespaces.cs.
/// Runs on: the thread pool.
/// </summary>
internal sealed partial class AdminApi(TopicRegistry topics, RequestCounters requests, MetricsPage metrics, BrokerHealth health, LoadService load, Func<BrokersReply> brokers, ILogger log)
{
    private const string TopicsPath = "/admin/v1/topics";
    private const string BrokersPath = "/admin/v1/brokers";
    private const string ClusterPath = "/admin/v1/cluster";
    private const string HealthPath = "/admin/v1/health";
    private const string NamespacesPath = "/admin/v1/namespaces";
    private const string MetricsPath = "/metrics";
    private const string DetailedPath = "/metrics/detailed";
    private const string JsonType = "application/json; charset=utf-8";

    public async Task HandleAsync(HttpContext context)
    {
        context.Response.Headers[RequestIds.Header] = RequestIds.Of(context);
        try
        {
            await (AnsweredElsewhere(context, context.Request.Method, context.Request.Path.Value ?? "") is { } address ? ForwardAsync(context, address) : RouteAsync(context));
        }
        catch (BadHttpRequestException e)
        {
            await FailAsync(context, e.StatusCode, new Refusal(ErrorCode.BadRequest, e.Message));
        }
        catch (JsonException e)
        {
            await FailAsync(context, StatusCodes.Status400BadRequest, new Refusal(ErrorCode.BadRequest, "The body is not what it must be: " + JsonFault.Describe(e)));
        }
        catch (Exception e) when (!context.RequestAborted.IsCancellationRequested)
        {
            Log.HttpFailed(log, e, RequestIds.Of(context), context.Request.Path);
            if (context.Response.HasStarted)
            {
                // What is half sent must not look whole.
                context.Abort();
                return;
            }

            await FailAsync(context, StatusCodes.Status500InternalServerError, new Refusal(ErrorCode.Internal, "The broker failed on this request; its log says more."));
        }
        finally
        {
            // Also when the caller has gone: what was asked was done.
            Audit(context);
        }
    }

    // Every call that may have changed something, with its outcome.
    private void Audit(HttpContext context)
    {
        HttpRequest request = context.Request;
        if (!HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method))
        {
            string path = TopicRegistry.Shorten(request.Path.Value ?? "");
            Log.AdminCall(log, request.Method, path, context.Connection.RemoteIpAddress, RequestIds.Of(context), context.Response.StatusCode);
        }
    }

    private Task RouteAsync(HttpContext context)
    {
        string path = context.Request.Path.Value ?? "";
        string method = context.Request.Method == HttpMethods.Head ? HttpMethods.Get : context.Request.Method;
        return (method, path) switch
        {
            ("GET", "/livez") => WriteAsync(context, StatusCodes.Status200OK, new HealthReply("ok", []), HttpJson.Default.HealthReply),
            ("GET", "/readyz") => ReadyAsync(context),
            ("GET", MetricsPath) => MetricsAsync(context, null),
            ("GET", DetailedPath) => DetailedMetricsAsync(context),
            ("GET", HealthPath) => WriteAsync(context, StatusCodes.Status200OK, health.Logs(), HttpJson.Default.LogHealthReply),
            ("GET", BrokersPath) => WriteAsync(context, StatusCodes.Status200OK, brokers(), HttpJson.Default.BrokersReply),
            ("GET", TopicsPath) => ListAsync(context),
            ("POST", TopicsPath) => CreateAsync(context),
            ("GET", NamespacesPath) => ListNamespacesAsync(context),
            ("GET", OpenApiDocument.Path) => OpenApiAsync(context),
            _ when path.StartsWith(BrokersPath + "/", StringComparison.Ordinal) => RouteBrokerAsync(context, method, path[(BrokersPath.Length + 1)..]),
            _ when path.StartsWith(ClusterPath + "/", StringComparison.Ordinal) => RouteClusterAsync(context, method, path[ClusterPath.Length..]),
            _ when path.StartsWith(TopicsPath + "/", StringComparison.Ordinal) => RouteTopicAsync(context, method, path[TopicsPath.Length..]),
            _ when path.StartsWith(NamespacesPath + "/", StringComparison.Ordinal) => RouteNamespaceAsync(context, method, path[(NamespacesPath.Length + 1)..]),
            (_, HealthPath or "/livez" or "/readyz" or MetricsPath or DetailedPath or BrokersPath or TopicsPath or NamespacesPath or OpenApiDocument.Path) => NotAllowedAsync(context),
            _ => NothingHereAsync(context),
        };
    }

    private static Task NotAllowedAsync(HttpContext context) => FailAsync(
        context, StatusCodes.Status405MethodNotAllowed, new Refusal(ErrorCode.BadRequest, $"{context.Request.Method} is not possible on {context.Request.Path}."));

    private static Task NothingHereAsync(HttpContext context) => FailAsync(context, StatusCodes.Status404NotFound, new Refusal(
        ErrorCode.BadRequest, $"There is nothing at this address: use /livez, /readyz, /metrics, {TopicsPath}, {TopicsPath}/namespace/name, {NamespacesPath}, {HealthPath}, {ClusterPath}/status or {BrokersPath}; {OpenApiDocument.Path} describes them all."));

    private Task ReadyAsync(HttpContext context)
    {
        HealthReply reply = health.Readiness();
        return WriteAsync(context, reply.Status == "ok" ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable, reply, HttpJson.Default.HealthReply);
    }

    private Task DetailedMetricsAsync(HttpContext context)
    {
        string topic = context.Request.Query["topic"].ToString();
        return topics.Knows(topic)
            ? MetricsAsync(context, topic)
            : FailAsync(context, StatusCodes.Status404NotFound, new Refusal(ErrorCode.TopicNotFound, $"{DetailedPath}?topic=/namespace/name shows one topic in full; there is none of that name."));
    }

    private async Task MetricsAsync(HttpContext context, string? topic)
    {
        PageFormat format = PageFormats.Choose(context.Request);
        context.Response.ContentType = PageFormats.ContentType(format);
        if (context.Request.Method != HttpMethods.Head)
        {
            await metrics.WriteAsync(context.Response.Body, format, topic, context.RequestAborted);
        }
    }

    /// <summary>The body of a change; null when it was refused, which is answered then.</summary>
    private static async Task<T?> ReadBodyAsync<T>(HttpContext context, JsonTypeInfo<T> type)
        where T : class
    {
        // A page in somebody's browser can post text to this machine, but not JSON without being allowed to.
        if (!context.Request.HasJsonContentType())
        {
            await FailAsync(context, StatusCodes.Status415UnsupportedMediaType, new Refusal(ErrorCode.BadRequest, "Send the body as application/json; {} when there is nothing to say."));
            return null;
        }

        return await JsonSerializer.DeserializeAsync(context.Request.Body, type, context.RequestAborted) ?? throw new JsonException("null is no object.");
    }

    /// <summary>Counts the call and answers it with the value or the refusal.</summary>
    private async Task AnswerAsync<T>(HttpContext context, string what, Answer<T> answer, JsonTypeInfo<T> type, int status = StatusCodes.Status200OK)
    {
        requests.OnAdmin(what, answer.Refusal);
        if (answer.TryGet(out T? value, out Refusal? refusal))
        {
            await WriteAsync(context, status, value, type);
            return;
        }

        await FailAsync(context, StatusOf(refusal.Code), refusal);
    }

    private static int StatusOf(ErrorCode code) => code switch
    {
        ErrorCode.TopicNotFound or ErrorCode.SubscriptionNotFound => StatusCodes.Status404NotFound,
        ErrorCode.TopicExists => StatusCodes.Status409Conflict,
        ErrorCode.BadTopicName or ErrorCode.BadRequest => StatusCodes.Status400BadRequest,
        ErrorCode.MessageTooLarge => StatusCodes.Status413PayloadTooLarge,
        ErrorCode.LimitExceeded => StatusCodes.Status429TooManyRequests,
        ErrorCode.NotOwner => StatusCodes.Status421MisdirectedRequest,
        ErrorCode.OwnerUnproven or ErrorCode.TopicWaiting or ErrorCode.Draining or ErrorCode.DiskFull or ErrorCode.DiskLow or ErrorCode.Unavailable => StatusCodes.Status503ServiceUnavailable,
        _ => StatusCodes.Status500InternalServerError,
    };

    private static Task FailAsync(HttpContext context, int status, Refusal refusal) => WriteAsync(
        context,
        status,
        new HttpErrorReply(refusal.Message, ErrorCodes.Name(refusal.Code), refusal.Message, ErrorCodes.IsRetryable(refusal.Code), RequestIds.Of(context), refusal.Redirect),
        HttpJson.Default.HttpErrorReply);

    private static async Task WriteAsync<T>(HttpContext context, int status, T body, JsonTypeInfo<T> type)
    {
        if (context.Response.HasStarted)
        {
            return;
        }

        byte[] json = JsonSerializer.SerializeToUtf8Bytes(body, type);
        context.Response.StatusCode = status;
        context.Response.ContentType = JsonType;
        context.Response.ContentLength = json.Length;
        if (context.Request.Method != HttpMethods.Head)
        {
            await context.Response.Body.WriteAsync(json, context.RequestAborted);
        }
    }
}
