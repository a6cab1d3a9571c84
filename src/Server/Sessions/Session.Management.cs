using System.Text.Json.Serialization.Metadata;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Sessions;

/// <summary>Requests about policies, and about the messages and subscriptions of a topic.</summary>
internal sealed partial class Session
{
    // Of a reply: the envelope's header and the rest of the JSON.
    private const int PeekOverheadBytes = 1024;

    private async ValueTask<Refusal?> SetTopicPolicyAsync(Envelope request)
    {
        TopicSpec spec = Read(request, ControlJson.Default.TopicSpec);
        Refusal? refusal = (await _services.Topics.SetPolicyAsync(spec.Topic, spec, isWhole: false, CancellationToken.None)).Refusal;
        return refusal ?? await ReplyDescribedAsync(request, spec.Topic);
    }

    private async ValueTask<Refusal?> SetNamespacePolicyAsync(Envelope request)
    {
        NamespaceSpec spec = Read(request, ControlJson.Default.NamespaceSpec);
        return ReplyOrRefuse(request, await _services.Topics.SetNamespaceAsync(spec, isWhole: false, CancellationToken.None), ControlJson.Default.NamespaceSpec);
    }

    private ValueTask<Refusal?> DescribeNamespaceAsync(Envelope request)
    {
        NamespaceRequest wish = Read(request, ControlJson.Default.NamespaceRequest);
        return ValueTask.FromResult(ReplyOrRefuse(request, _services.Topics.DescribeNamespace(wish.Namespace), ControlJson.Default.NamespaceSpec));
    }

    private async ValueTask<Refusal?> DescribeSubscriptionAsync(Envelope request)
    {
        SubscriptionRequest wish = Read(request, ControlJson.Default.SubscriptionRequest);
        return ReplyOrRefuse(request, await _services.Topics.DescribeSubscriptionAsync(wish), ControlJson.Default.SubscriptionDetails);
    }

    private async ValueTask<Refusal?> SkipAsync(Envelope request)
    {
        SkipRequest wish = Read(request, ControlJson.Default.SkipRequest);
        return ReplyOrRefuse(request, await _services.Topics.SkipAsync(wish), ControlJson.Default.SkipReply);
    }

    private async ValueTask<Refusal?> PurgeAsync(Envelope request)
    {
        SubscriptionRequest wish = Read(request, ControlJson.Default.SubscriptionRequest);
        return ReplyOrRefuse(request, await _services.Topics.PurgeAsync(wish), ControlJson.Default.SkipReply);
    }

    private async ValueTask<Refusal?> PurgeTopicAsync(Envelope request)
    {
        Refusal? refusal = await _services.Topics.PurgeTopicAsync(Read(request, ControlJson.Default.TopicRequest).Topic);
        if (refusal is null)
        {
            Reply(request, new EmptyReply(), ControlJson.Default.EmptyReply);
        }

        return refusal;
    }

    private async ValueTask<Refusal?> PeekAsync(Envelope request)
    {
        PeekRequest wish = Read(request, ControlJson.Default.PeekRequest);
        return ReplyOrRefuse(request, await _services.Topics.PeekAsync(wish, _maxFrame - PeekOverheadBytes, CancellationToken.None), ControlJson.Default.PeekReply);
    }

    private Refusal? ReplyOrRefuse<T>(Envelope request, Answer<T> answer, JsonTypeInfo<T> type)
    {
        if (answer.TryGet(out T? value, out Refusal? refusal))
        {
            Reply(request, value, type);
        }

        return refusal;
    }
}
