using Danube.Fast.Core;
using Danube.Fast.Protocol;
using Danube.Fast.Server.Topics;
using Microsoft.AspNetCore.Http;

namespace Danube.Fast.Server.Http;

/// <summary>Subscriptions: /admin/v1/topics/NAMESPACE/NAME/subscriptions[/SUBSCRIPTION[/skip|purge|seek]].</summary>
internal sealed partial class AdminApi
{
    private Task RouteSubscriptionAsync(HttpContext context, string method, string topic, string name, string? action) => (method, action) switch
    {
        ("GET", null) => DescribeSubscriptionAsync(context, topic, name),
        ("PUT", null) => MakeSubscriptionAsync(context, topic, name),
        ("DELETE", null) => UnsubscribeAsync(context, topic, name),
        ("POST", "skip") => SkipAsync(context, topic, name),
        ("POST", "purge") => PurgeAsync(context, topic, name),
        ("POST", "seek") => SeekAsync(context, topic, name),
        (_, null or "skip" or "purge" or "seek") => NotAllowedAsync(context),
        _ => NothingHereAsync(context),
    };

    private async Task SubscriptionsAsync(HttpContext context, string topic)
    {
        Answer<TopicInfo> described = await topics.DescribeAsync(topic, CancellationToken.None);
        Answer<SubscriptionsReply> reply = described.TryGet(out TopicInfo? info, out Refusal? refusal) ? new SubscriptionsReply(info.Subscriptions) : refusal;
        await AnswerAsync(context, "list_subscriptions", reply, HttpJson.Default.SubscriptionsReply);
    }

    private async Task DescribeSubscriptionAsync(HttpContext context, string topic, string name)
    {
        var request = new SubscriptionRequest { Topic = topic, Subscription = name };
        await AnswerAsync(context, "describe_subscription", await topics.DescribeSubscriptionAsync(request), HttpJson.Default.SubscriptionDetails);
    }

    private async Task UnsubscribeAsync(HttpContext context, string topic, string name) =>
        await AnswerAsync(context, "unsubscribe", Done(await topics.UnsubscribeAsync(topic, name)), HttpJson.Default.EmptyReply);

    private async Task SkipAsync(HttpContext context, string topic, string name)
    {
        if (await ReadBodyAsync(context, HttpJson.Default.SkipBody) is { } body)
        {
            var request = new SkipRequest { Topic = topic, Subscription = name, Count = body.Count };
            await AnswerAsync(context, "skip", await topics.SkipAsync(request), HttpJson.Default.SkipReply);
        }
    }

    private async Task PurgeAsync(HttpContext context, string topic, string name)
    {
        if (await ReadBodyAsync(context, HttpJson.Default.EmptyReply) is not null)
        {
            var request = new SubscriptionRequest { Topic = topic, Subscription = name };
            await AnswerAsync(context, "purge", await topics.PurgeAsync(request), HttpJson.Default.SkipReply);
        }
    }

    private async Task SeekAsync(HttpContext context, string topic, string name)
    {
        if (await ReadBodyAsync(context, HttpJson.Default.SeekBody) is { } body)
        {
            Answer<SeekReply> reply = StartPosition.TryParse(body.To, out StartPosition to)
                ? await topics.SeekAsync(new SeekRequest { Topic = topic, Subscription = name }, to)
                : new Refusal(ErrorCode.BadRequest, $"The position '{TopicRegistry.Shorten(body.To)}' is unknown: use earliest, latest, offset:N or time:UNIX_MICROSECONDS.");
            await AnswerAsync(context, "seek", reply, HttpJson.Default.SeekReply);
        }
    }
}
