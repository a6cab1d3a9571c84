using Danube.Fast.Protocol;
using Danube.Fast.Server.Topics;
using Microsoft.AspNetCore.Http;

namespace Danube.Fast.Server.Http;

/// <summary>Everything that is recorded of namespaces, topics and subscriptions: /admin/v1/cluster/export. It is put back with the calls that make them.</summary>
internal sealed partial class AdminApi
{
    // Raised when a reader of the former form could not read the new one.
    private const int ExportVersion = 1;

    private Task ExportAsync(HttpContext context)
    {
        Answer<ExportReply> answer = topics.CheckExport() is { } refusal
            ? refusal
            : new ExportReply(ExportVersion, DateTimeOffset.UtcNow, topics.ExportNamespaces(), [.. topics.ExportTopics().Select(Exported)]);
        return AnswerAsync(context, "export", answer, ExportJson.Default.ExportReply);
    }

    private static ExportedTopic Exported((TopicDefinition Topic, SubscriptionDefinition[] Subscriptions) topic) => new(
        topic.Topic.Topic,
        topic.Topic.Durability,
        topic.Topic.Partitions,
        topic.Topic.Policy ?? new TopicPolicy(),
        [.. topic.Subscriptions.Select(s => new ExportedSubscription(s.Name, s.Type, s.Start, s.Policy))]);

    private async Task MakeSubscriptionAsync(HttpContext context, string topic, string name)
    {
        if (await ReadBodyAsync(context, ExportJson.Default.SubscriptionBody) is { } body)
        {
            Refusal? refusal = await topics.MakeSubscriptionAsync(topic, name, body.Type, body.Start, body.Policy, CancellationToken.None);
            await AnswerAsync(context, "make_subscription", Done(refusal), HttpJson.Default.EmptyReply);
        }
    }
}
