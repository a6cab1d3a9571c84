using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Danube.Fast.Protocol;
using Danube.Fast.Server.Topics;
using Microsoft.AspNetCore.Http;

namespace Danube.Fast.Server.Http;

/// <summary>Calls about a topic that another broker owns are passed on to that broker, decisions to the leader: whoever is asked answers.</summary>
internal sealed partial class AdminApi
{
    /// <summary>Marks a call that was passed on, with the id of the broker that did; it is never passed on again.</summary>
    public const string ForwardedHeader = "X-Danube-Forwarded-By";

    // How calls that were passed on are counted here; the broker that answers counts what they ask.
    private const string ForwardedCall = "forward";

    private static readonly TimeSpan ForwardPatience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan AskPatience = TimeSpan.FromSeconds(3);

    private static bool IsForwarded(HttpContext context) => context.Request.Headers.ContainsKey(ForwardedHeader);

    /// <summary>Where the call should be answered, host:port; null = here.</summary>
    private string? AnsweredElsewhere(HttpContext context, string method, string path)
    {
        if (IsForwarded(context))
        {
            return null;
        }

        if (path == ClusterPath + "/explain")
        {
            long? leader = load.Source.Leader;
            return leader is null || leader == load.Source.Broker ? null : load.Source.Describe().FirstOrDefault(m => m.Broker == leader && m.IsRegistered)?.Http;
        }

        if (path == DetailedPath)
        {
            return load.Source.OwnerElsewhere(Query(context, "topic") ?? "");
        }

        if (!path.StartsWith(TopicsPath + "/", StringComparison.Ordinal))
        {
            return null;
        }

        string[] parts = path[TopicsPath.Length..].Split('/', StringSplitOptions.RemoveEmptyEntries);

        // What is recorded of a topic any broker reads and writes; what is in it only its owner knows. The owner of one that is made anew is away.
        bool isOfOwner = parts.Length > 2 ? parts[2] is not ("policy" or "recreate") : parts.Length == 2 && method == HttpMethods.Get;
        return isOfOwner ? load.Source.OwnerElsewhere($"/{parts[0]}/{parts[1]}") : null;
    }

    /// <summary>What the other brokers answer to the same call, by their address; those that do not answer in time are left out.</summary>
    /// <param name="context">The call.</param>
    /// <param name="type">Of an answer.</param>
    /// <param name="work">What the answer itself takes.</param>
    private async Task<IReadOnlyDictionary<string, T>> AskOthersAsync<T>(HttpContext context, JsonTypeInfo<T> type, TimeSpan work = default)
        where T : class
    {
        var answered = new ConcurrentDictionary<string, T>(StringComparer.Ordinal);
        if (!IsForwarded(context))
        {
            string path = context.Request.Path + context.Request.QueryString.ToString();
            await Task.WhenAll(load.Source.Describe().Where(m => m.IsRegistered && m.Broker != load.Source.Broker && m.Http is { Length: > 0 }).Select(async m =>
            {
                if (await AskAsync(context, m.Http, path, type, work) is { } answer)
                {
                    answered[m.Http!] = answer;
                }
            }));
        }

        return answered;
    }

    private async Task<T?> AskAsync<T>(HttpContext context, string? address, string path, JsonTypeInfo<T> type, TimeSpan work = default)
        where T : class
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        patience.CancelAfter(AskPatience + work);
        try
        {
            using HttpRequestMessage request = Passed(context, HttpMethod.Get, address, path);
            using HttpResponseMessage answer = await load.Peers.Http.SendAsync(request, patience.Token);
            return answer.IsSuccessStatusCode ? await answer.Content.ReadFromJsonAsync(type, patience.Token) : null;
        }
        catch (Exception e) when (e is HttpRequestException or JsonException or UriFormatException or NotSupportedException || (e is OperationCanceledException && !context.RequestAborted.IsCancellationRequested))
        {
            return null;
        }
    }

    /// <summary>A topic that was just made, as its owner describes it; when that does not answer yet, what is recorded of it.</summary>
    private async Task<Answer<TopicInfo>> DescribeMadeAsync(HttpContext context, TopicEntry entry)
    {
        if (topics.DescribeUnserved(entry) is { } unserved)
        {
            return unserved;
        }

        Answer<TopicInfo> here = await topics.DescribeAsync(entry.Name.Full, CancellationToken.None);
        if (here.Refusal is not { Code: ErrorCode.NotOwner or ErrorCode.OwnerUnproven or ErrorCode.TopicWaiting })
        {
            return here;
        }

        TopicInfo? there = load.Source.OwnerElsewhere(entry.Name.Full) is { } owner ? await AskAsync(context, owner, TopicsPath + entry.Name.Full, HttpJson.Default.TopicInfo) : null;
        return there ?? new TopicInfo { Topic = entry.Name.Full, TopicId = entry.Definition.TopicId, Durability = entry.Definition.Durability, Partitions = 1, State = "not_open" };
    }

    /// <summary>The call as another broker gets it.</summary>
    /// <exception cref="UriFormatException">The address is none.</exception>
    private HttpRequestMessage Passed(HttpContext context, HttpMethod method, string? address, string path)
    {
        var request = new HttpRequestMessage(method, $"http://{address}{path}");
        request.Headers.Add(ForwardedHeader, load.Source.Broker.ToString(CultureInfo.InvariantCulture));
        request.Headers.TryAddWithoutValidation(RequestIds.Header, RequestIds.Of(context));
        return request;
    }

    private async Task ForwardAsync(HttpContext context, string address)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        patience.CancelAfter(ForwardPatience);
        try
        {
            using HttpRequestMessage request = Passed(context, new HttpMethod(context.Request.Method), address, $"{context.Request.Path}{context.Request.QueryString}");

            // The form of a page of metrics is chosen by it.
            request.Headers.TryAddWithoutValidation("Accept", [.. context.Request.Headers.Accept.OfType<string>()]);
            AddBody(context, request);
            using HttpResponseMessage answer = await load.Peers.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token);
            context.Response.StatusCode = (int)answer.StatusCode;
            context.Response.ContentType = answer.Content.Headers.ContentType?.ToString();
            context.Response.ContentLength = answer.Content.Headers.ContentLength;
            await answer.Content.CopyToAsync(context.Response.Body, patience.Token);
            requests.OnAdmin(ForwardedCall, null);
        }
        catch (Exception e) when (e is HttpRequestException or UriFormatException or NotSupportedException || (e is OperationCanceledException && !context.RequestAborted.IsCancellationRequested))
        {
            var refusal = new Refusal(
                ErrorCode.Unavailable, $"The broker at {address}, which has this, does not answer ({e.Message}): try again in a moment, or look at 'cluster status'.");
            requests.OnAdmin(ForwardedCall, refusal);
            if (context.Response.HasStarted)
            {
                // What is half sent must not look whole.
                context.Abort();
                return;
            }

            await FailAsync(context, StatusCodes.Status503ServiceUnavailable, refusal);
        }
    }

    private static void AddBody(HttpContext context, HttpRequestMessage request)
    {
        if (context.Request.ContentType is not null)
        {
            request.Content = new StreamContent(context.Request.Body);
            request.Content.Headers.ContentType = MediaTypeHeaderValue.TryParse(context.Request.ContentType, out MediaTypeHeaderValue? type) ? type : null;
        }
    }
}
