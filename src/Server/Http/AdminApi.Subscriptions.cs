using System.Text.Json;
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
        if (info is { Partitions: > 1 } && !IsForwarded(context))
        {
            IReadOnlyDictionary<string, SubscriptionsReply> others = await AskOthersAsync(context, HttpJson.Default.SubscriptionsReply);
            reply = new SubscriptionsReply(TopicLists.Merge([.. info.Subscriptions, .. others.Values.SelectMany(o => o.Subscriptions)]), Unanswered(topic, [.. others.Keys]));
        }

        await AnswerAsync(context, "list_subscriptions", reply, HttpJson.Default.SubscriptionsReply);
    }

    private async Task DescribeSubscriptionAsync(HttpContext context, string topic, string name)
    {
        if (topics.Find(topic).Value is { Definition.IsBase: true } whole)
        {
            await AnswerAsync(context, "describe_subscription", await DescribePartitionsAsync(context, whole, name), HttpJson.Default.PartitionedSubscriptionReply);
            return;
        }

        await AnswerAsync(context, "describe_subscription", await DescribeHereAsync(topic, name), HttpJson.Default.SubscriptionDetails);
    }

    private Task<Answer<SubscriptionDetails>> DescribeHereAsync(string topic, string name) =>
        topics.DescribeSubscriptionAsync(new SubscriptionRequest { Topic = topic, Subscription = name });

    private async Task<Answer<PartitionedSubscriptionReply>> DescribePartitionsAsync(HttpContext context, TopicEntry whole, string name)
    {
        PartitionAnswers<SubscriptionDetails> answers = await AskPartitionsAsync(
            context, whole, HttpMethod.Get, PathOf(name), null, partition => DescribeHereAsync(partition, name), HttpJson.Default.SubscriptionDetails);
        SubscriptionDetails[] parts = [.. answers.Values.Select(v => v.Value)];
        return answers.Refusal is { } refusal ? refusal : new PartitionedSubscriptionReply(
            whole.Name.Full,
            TopicRegistry.Sum(name, parts.Select(p => p.Subscription)),
            parts.Sum(p => p.AcknowledgedBeyond),
            parts[0].Policy,
            [.. parts.SelectMany(p => p.Consumers)],
            parts,
            answers.Missing);
    }

    private static string PathOf(string name) => "/subscriptions/" + Uri.EscapeDataString(name);

    private async Task UnsubscribeAsync(HttpContext context, string topic, string name)
    {
        if (topics.Find(topic).Value is { Definition.IsBase: true } whole)
        {
            // An attempt that failed half-way has removed it from some partitions already.
            await ChangePartitionsAsync(
                context, "unsubscribe", whole, PathOf(name), null, RemoveAsync, HttpJson.Default.EmptyReply, (partition, _) => new PartitionChange(partition), ErrorCode.SubscriptionNotFound);
            return;
        }

        await AnswerAsync(context, "unsubscribe", await RemoveAsync(topic), HttpJson.Default.EmptyReply);

        async Task<Answer<EmptyReply>> RemoveAsync(string each) => Done(await topics.UnsubscribeAsync(each, name));
    }

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
            if (topics.Find(topic).Value is { Definition.IsBase: true } whole)
            {
                await ChangePartitionsAsync(
                    context, "purge", whole, PathOf(name) + "/purge", NoBody, PurgeHereAsync, HttpJson.Default.SkipReply, (partition, done) => new PartitionChange(partition, MarkDelete: done.MarkDelete, Skipped: done.Skipped));
                return;
            }

            await AnswerAsync(context, "purge", await PurgeHereAsync(topic), HttpJson.Default.SkipReply);
        }

        Task<Answer<SkipReply>> PurgeHereAsync(string each) => topics.PurgeAsync(new SubscriptionRequest { Topic = each, Subscription = name });
    }

    private async Task SeekAsync(HttpContext context, string topic, string name)
    {
        if (await ReadBodyAsync(context, HttpJson.Default.SeekBody) is { } body)
        {
            bool isPosition = StartPosition.TryParse(body.To, out StartPosition to);
            if (isPosition && to.Kind != StartKind.Offset && topics.Find(topic).Value is { Definition.IsBase: true } whole)
            {
                await ChangePartitionsAsync(
                    context, "seek", whole, PathOf(name) + "/seek", JsonSerializer.SerializeToUtf8Bytes(body, HttpJson.Default.SeekBody), partition => SeekHereAsync(partition, name, to), HttpJson.Default.SeekReply,
                    (partition, done) => new PartitionChange(partition, done.SubscriptionEpoch, done.MarkDelete));
                return;
            }

            Answer<SeekReply> reply = isPosition
                ? await SeekHereAsync(topic, name, to)
                : new Refusal(ErrorCode.BadRequest, $"The position '{TopicRegistry.Shorten(body.To)}' is unknown: use earliest, latest, offset:N or time:UNIX_MICROSECONDS.");
            await AnswerAsync(context, "seek", reply, HttpJson.Default.SeekReply);
        }
    }

    private Task<Answer<SeekReply>> SeekHereAsync(string topic, string name, StartPosition to) => topics.SeekAsync(new SeekRequest { Topic = topic, Subscription = name }, to);
}
