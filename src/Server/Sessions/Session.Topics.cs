using Danube.Fast.Protocol;
using Danube.Fast.Server.Topics;

namespace Danube.Fast.Server.Sessions;

/// <summary>Requests about topics.</summary>
internal sealed partial class Session
{
    private async ValueTask<Refusal?> CreateTopicAsync(Envelope request)
    {
        TopicSpec spec = Read(request, ControlJson.Default.TopicSpec);
        if (!(await _services.Topics.CreateAsync(spec, CancellationToken.None)).TryGet(out TopicEntry? entry, out Refusal? refusal))
        {
            return refusal;
        }

        return ReplyOrRefuse(request, await _services.Topics.DescribeCreatedAsync(entry, CancellationToken.None), ControlJson.Default.TopicInfo);
    }

    private async ValueTask<Refusal?> DeleteTopicAsync(Envelope request)
    {
        TopicRequest topic = Read(request, ControlJson.Default.TopicRequest);
        Refusal? refusal = (await _services.Topics.DeleteAsync(topic.Topic, CancellationToken.None)).Refusal;
        if (refusal is null)
        {
            Reply(request, new EmptyReply(), ControlJson.Default.EmptyReply);
        }

        return refusal;
    }

    private async ValueTask<Refusal?> ListTopicsAsync(Envelope request)
    {
        ListTopicsRequest list = Read(request, ControlJson.Default.ListTopicsRequest);
        Reply(request, new ListTopicsReply { Topics = await _services.Topics.ListAsync(list.Namespace) }, ControlJson.Default.ListTopicsReply);
        return null;
    }

    private ValueTask<Refusal?> DescribeTopicAsync(Envelope request) =>
        ReplyDescribedAsync(request, Read(request, ControlJson.Default.TopicRequest).Topic);

    private async ValueTask<Refusal?> ReplyDescribedAsync(Envelope request, string topic)
    {
        if (!(await _services.Topics.DescribeAsync(topic, CancellationToken.None)).TryGet(out TopicInfo? info, out Refusal? refusal))
        {
            return refusal;
        }

        Reply(request, info, ControlJson.Default.TopicInfo);
        return null;
    }

    private async ValueTask<Refusal?> LookupAsync(Envelope request)
    {
        LookupRequest wish = Read(request, ControlJson.Default.LookupRequest);
        if (_services.Topics.Lookup is { } lookup)
        {
            return ReplyOrRefuse(request, await lookup.FindAsync(wish.Topic, wish.Revision, CancellationToken.None), ControlJson.Default.LookupReply);
        }

        if (!_services.Topics.Find(wish.Topic).TryGet(out TopicEntry? entry, out Refusal? refusal))
        {
            return refusal;
        }

        Reply(request, new LookupReply { Result = LookupResults.Connect, Partitions = entry.Definition.Partitions }, ControlJson.Default.LookupReply);
        return null;
    }
}
