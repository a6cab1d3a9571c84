using System.Globalization;
using Danube.Fast.LoadManager;
using Danube.Fast.Protocol;
using Danube.Fast.Server.Load;
using Danube.Fast.Server.Topics;
using Microsoft.AspNetCore.Http;

namespace Danube.Fast.Server.Http;

/// <summary>Topics, their policies, messages and subscriptions: /admin/v1/topics/NAMESPACE/NAME[/...].</summary>
internal sealed partial class AdminApi
{
    // Of one peek over HTTP; nobody has agreed on a frame here.
    private const int MaxPeekBytes = 8 * 1024 * 1024;

    private static readonly TimeSpan StatsWindow = TimeSpan.FromSeconds(1);
    private static readonly byte[] NoBody = "{}"u8.ToArray();

    private Task RouteTopicAsync(HttpContext context, string method, string path)
    {
        string[] parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length < 2)
        {
            return method is "GET" or "DELETE" ? TopicAsync(context, method, path) : NotAllowedAsync(context);
        }

        string topic = $"/{parts[0]}/{parts[1]}";
        return (method, parts.Length, parts.ElementAtOrDefault(2)) switch
        {
            ("GET" or "DELETE", 2, _) => TopicAsync(context, method, topic),
            ("GET", 3, "policy") => PolicyAsync(context, topic),
            ("PUT", 3, "policy") => SetPolicyAsync(context, topic),
            ("POST", 3, "purge") => PurgeTopicAsync(context, topic),
            ("POST", 3, "recreate") => RecreateAsync(context, topic),
            ("GET", 3, "stats") => StatsAsync(context, topic),
            ("GET", 3, "peek") => PeekAsync(context, topic),
            ("GET", 3, "subscriptions") => SubscriptionsAsync(context, topic),
            (_, 2, _) or (_, 3, "policy" or "purge" or "recreate" or "peek" or "stats" or "subscriptions") => NotAllowedAsync(context),
            (_, 4 or 5, "subscriptions") => RouteSubscriptionAsync(context, method, topic, parts[3], parts.ElementAtOrDefault(4)),
            _ => NothingHereAsync(context),
        };
    }

    private async Task ListAsync(HttpContext context)
    {
        string? ns = Query(context, "namespace");
        requests.OnAdmin("list_topics", null);
        Task<TopicInfo[]> own = topics.ListAsync(ns);
        Task<IReadOnlyDictionary<string, ListTopicsReply>> others = AskOthersAsync(context, HttpJson.Default.ListTopicsReply);
        await WriteAsync(context, StatusCodes.Status200OK, new ListTopicsReply { Topics = TopicLists.Merge([await own, .. (await others).Values.Select(o => o.Topics)]) }, HttpJson.Default.ListTopicsReply);
    }

    private async Task CreateAsync(HttpContext context)
    {
        if (await ReadBodyAsync(context, HttpJson.Default.TopicSpec) is { } spec)
        {
            Answer<TopicEntry> created = await topics.CreateAsync(spec, CancellationToken.None);
            Answer<TopicInfo> described = created.TryGet(out TopicEntry? entry, out Refusal? refusal) ? await DescribeMadeAsync(context, entry) : refusal;
            await AnswerAsync(context, "create_topic", described, HttpJson.Default.TopicInfo, StatusCodes.Status201Created);
        }
    }

    private async Task TopicAsync(HttpContext context, string method, string topic)
    {
        if (method == HttpMethods.Get)
        {
            Answer<TopicInfo> described = await topics.DescribeAsync(topic, CancellationToken.None);
            if (described.Value is { Partitions: > 1 } here && !IsForwarded(context))
            {
                IReadOnlyDictionary<string, TopicInfo> others = await AskOthersAsync(context, HttpJson.Default.TopicInfo);
                described = TopicLists.WithMissing(TopicLists.Merge([here, .. others.Values]), Unanswered(topic, [.. others.Keys]));
            }

            await AnswerAsync(context, "describe_topic", described, HttpJson.Default.TopicInfo);
            return;
        }

        Refusal? refusal = (await topics.DeleteAsync(topic, CancellationToken.None)).Refusal;
        await AnswerAsync(context, "delete_topic", Done(refusal), HttpJson.Default.EmptyReply);
    }

    private Task PolicyAsync(HttpContext context, string topic) => AnswerAsync(context, "describe_policy", PolicyOf(topics.Find(topic)), HttpJson.Default.PolicyReply);

    private async Task SetPolicyAsync(HttpContext context, string topic)
    {
        if (await ReadBodyAsync(context, HttpJson.Default.TopicPolicy) is { } policy)
        {
            await AnswerAsync(context, "set_topic_policy", PolicyOf(await topics.SetPolicyAsync(topic, policy, isWhole: true, CancellationToken.None)), HttpJson.Default.PolicyReply);
        }
    }

    private Answer<PolicyReply> PolicyOf(Answer<TopicEntry> found) => found.TryGet(out TopicEntry? entry, out Refusal? refusal)
        ? new PolicyReply(topics.OwnPolicy(entry.Definition), topics.EffectivePolicy(entry))
        : refusal;

    private async Task PurgeTopicAsync(HttpContext context, string topic)
    {
        if (await ReadBodyAsync(context, HttpJson.Default.EmptyReply) is not null)
        {
            if (topics.Find(topic).Value is { Definition.IsBase: true } whole)
            {
                await ChangePartitionsAsync(context, "purge_topic", whole, "/purge", NoBody, PurgeAsync, HttpJson.Default.EmptyReply, (partition, _) => new PartitionChange(partition));
                return;
            }

            await AnswerAsync(context, "purge_topic", await PurgeAsync(topic), HttpJson.Default.EmptyReply);
        }

        async Task<Answer<EmptyReply>> PurgeAsync(string each) => Done(await topics.PurgeTopicAsync(each));
    }

    // Any broker does it: the one that has the messages is away.
    private async Task RecreateAsync(HttpContext context, string topic)
    {
        if (await ReadBodyAsync(context, HttpJson.Default.RecreateBody) is { } body)
        {
            Refusal? refusal = body.LoseData
                ? await load.Source.RecreateAsync(topic, CancellationToken.None)
                : new Refusal(ErrorCode.BadRequest, $"Topic {TopicRegistry.Shorten(topic)} would begin again without messages and subscriptions: say {{\"lose_data\": true}} to have that.");
            await AnswerAsync(context, "recreate_topic", Done(refusal), HttpJson.Default.EmptyReply);
        }
    }

    private async Task PeekAsync(HttpContext context, string topic)
    {
        var request = new PeekRequest { Topic = topic, Subscription = Query(context, "subscription") };
        if (!TryQuery(context, "offset", out long? offset) || !TryQuery(context, "count", out long? count) || count > int.MaxValue)
        {
            await FailAsync(context, StatusCodes.Status400BadRequest, new Refusal(ErrorCode.BadRequest, "offset and count must be whole numbers."));
            return;
        }

        request.Offset = offset;
        request.Count = (int)(count ?? request.Count);
        await AnswerAsync(context, "peek", await topics.PeekAsync(request, MaxPeekBytes, context.RequestAborted), HttpJson.Default.PeekReply);
    }

    // Two looks at the counters, a second apart: nothing is kept for it between two calls.
    private async Task StatsAsync(HttpContext context, string name)
    {
        if (!(await topics.DescribeAsync(name, CancellationToken.None)).TryGet(out TopicInfo? info, out Refusal? refusal))
        {
            await AnswerAsync(context, "topic_stats", refusal, ClusterRepliesJson.Default.TopicStatsReply);
            return;
        }

        // The others measure at the same time.
        bool isWhole = info.Partitions > 1 && !IsForwarded(context);
        Task<IReadOnlyDictionary<string, TopicStatsReply>>? others = isWhole ? AskOthersAsync(context, ClusterRepliesJson.Default.TopicStatsReply, StatsWindow) : null;
        var sampler = new TopicSampler(topics, onlyOpen: true, TimeProvider.System);
        var calculator = new TopicLoadCalculator(TimeProvider.System);
        calculator.Next(sampler.Take(name));
        await Task.Delay(StatsWindow, context.RequestAborted);
        TopicLoads loads = calculator.Next(sampler.Take(name));
        IReadOnlyDictionary<string, TopicStatsReply> answers = others is null ? new Dictionary<string, TopicStatsReply>() : await others;
        TopicLoad[] all =
        [
            .. loads.Topics.Concat(answers.Values.SelectMany(a => a.Loads)).DistinctBy(t => t.TopicName).OrderBy(t => t.TopicName.Length).ThenBy(t => t.TopicName, StringComparer.Ordinal),
        ];
        var reply = new TopicStatsReply(name, Math.Round(loads.Window.TotalSeconds, 3), all, isWhole ? Unanswered(name, [.. answers.Keys], [.. all.Select(t => t.TopicName)]) : null);
        await AnswerAsync(context, "topic_stats", reply, ClusterRepliesJson.Default.TopicStatsReply);
    }

    private static string? Query(HttpContext context, string name) =>
        context.Request.Query.TryGetValue(name, out Microsoft.Extensions.Primitives.StringValues value) ? value.ToString() : null;

    private static bool TryQuery(HttpContext context, string name, out long? value)
    {
        value = null;
        if (Query(context, name) is not { } text)
        {
            return true;
        }

        bool isNumber = long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number);
        value = number;
        return isNumber;
    }

    private static Answer<EmptyReply> Done(Refusal? refusal) => refusal is null ? new EmptyReply() : refusal;
}
