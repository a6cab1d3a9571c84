using Danube.Fast.Core;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Topics;

/// <summary>Commands about the messages and subscriptions of a topic. On a partitioned topic they hold for all partitions, where that makes sense.</summary>
internal sealed partial class TopicRegistry
{
    /// <summary>One subscription in full; over partitions the figures are summed and offsets left out.</summary>
    public async Task<Answer<SubscriptionDetails>> DescribeSubscriptionAsync(SubscriptionRequest request)
    {
        if (!(await SubscriptionsAsync(request.Topic, request.Subscription)).TryGet(out List<Subscription>? all, out Refusal? refusal))
        {
            return refusal;
        }

        SubscriptionDetails[] parts = [.. all.Select(s => s.DescribeInFull())];
        return parts.Length == 1 && parts[0].Topic == request.Topic
            ? parts[0]
            : new SubscriptionDetails
            {
                Topic = request.Topic,
                Subscription = Sum(request.Subscription, parts.Select(p => p.Subscription)),
                AcknowledgedBeyond = parts.Sum(p => p.AcknowledgedBeyond),
                Policy = parts[0].Policy,
                Consumers = [.. parts.SelectMany(p => p.Consumers)],
            };
    }

    /// <summary>Acknowledges the next records of a subscription unseen.</summary>
    public async Task<Answer<SkipReply>> SkipAsync(SkipRequest request)
    {
        if (request.Count < 1)
        {
            return new Refusal(ErrorCode.BadRequest, $"count is {request.Count}, but it must be 1 or more.");
        }

        if (Partitioned(request.Topic, "skip") is { } partitioned)
        {
            return partitioned;
        }

        return (await SubscriptionsAsync(request.Topic, request.Subscription)).TryGet(out List<Subscription>? all, out Refusal? refusal)
            ? await all[0].SkipAsync(request.Count)
            : refusal;
    }

    /// <summary>Moves a subscription to the end; over partitions the reply has the sum, and no offset.</summary>
    public async Task<Answer<SkipReply>> PurgeAsync(SubscriptionRequest request)
    {
        if (!(await SubscriptionsAsync(request.Topic, request.Subscription)).TryGet(out List<Subscription>? all, out Refusal? refusal))
        {
            return refusal;
        }

        var sum = new SkipReply();
        foreach (Subscription subscription in all)
        {
            SkipReply reply = await subscription.PurgeAsync();
            sum.Skipped += reply.Skipped;
            sum.MarkDelete = all.Count == 1 ? reply.MarkDelete : 0;
        }

        return sum;
    }

    /// <summary>Gives up all messages of a topic.</summary>
    public async Task<Refusal?> PurgeTopicAsync(string topic)
    {
        if (!(await TopicsAsync(topic)).TryGet(out List<(TopicEntry Entry, Topic Topic)>? all, out Refusal? refusal))
        {
            return refusal;
        }

        foreach ((_, Topic each) in all)
        {
            if (!await each.PurgeAsync())
            {
                return each.Refusal == ErrorCode.LogFailed
                    ? new Refusal(ErrorCode.LogFailed, $"The log of {each.Name} has failed: its messages can be given up after the broker was restarted.")
                    : new Refusal(ErrorCode.Unavailable, $"The subscriptions of {each.Name} are at its end, but the log could not be cut there yet: purge it again in a moment.");
            }
        }

        Log.TopicPurged(log, topic);
        return null;
    }

    /// <summary>Moves a subscription; over partitions the reply is that of the last one. Each partition counts offsets of its own.</summary>
    public async Task<Answer<SeekReply>> SeekAsync(SeekRequest request, StartPosition to)
    {
        if (to.Kind == StartKind.Offset && Partitioned(request.Topic, "seek to an offset") is { } partitioned)
        {
            return partitioned;
        }

        if (!(await SubscriptionsAsync(request.Topic, request.Subscription)).TryGet(out List<Subscription>? all, out Refusal? refusal))
        {
            return refusal;
        }

        var reply = new SeekReply();
        foreach (Subscription subscription in all)
        {
            reply = await subscription.SeekAsync(to, CancellationToken.None);
        }

        return reply;
    }

    /// <summary>Shows messages without delivering them.</summary>
    /// <param name="request">What to show.</param>
    /// <param name="maxBytes">Most bytes of the reply.</param>
    /// <param name="cancellationToken">Ends it between two reads.</param>
    public async Task<Answer<PeekReply>> PeekAsync(PeekRequest request, int maxBytes, CancellationToken cancellationToken)
    {
        if (request.Count is < 1 or > Topic.MaxPeekCount || request.Offset < 0)
        {
            return new Refusal(ErrorCode.BadRequest, $"A peek shows 1 to {Topic.MaxPeekCount} messages from an offset of 0 or more.");
        }

        if (Partitioned(request.Topic, "peek") is { } partitioned)
        {
            return partitioned;
        }

        if (!(await TopicsAsync(request.Topic)).TryGet(out List<(TopicEntry Entry, Topic Topic)>? all, out Refusal? refusal))
        {
            return refusal;
        }

        (TopicEntry entry, Topic topic) = all[0];
        Subscription? subscription = null;
        if (request.Subscription is { } name && !topic.TryGetSubscription(name, out subscription))
        {
            return NoSubscription(entry, name);
        }

        PeekResult peek = await topic.PeekAsync(subscription, request.Offset, request.Count, maxBytes, cancellationToken);
        return peek.Error == ErrorCode.None ? new PeekReply { Messages = peek.Messages } : new Refusal(peek.Error, peek.Text);
    }

    /// <summary>The topics with logs behind a name, open: itself, or its partitions.</summary>
    private async Task<Answer<List<(TopicEntry Entry, Topic Topic)>>> TopicsAsync(string name)
    {
        if (!Find(name).TryGet(out TopicEntry? entry, out Refusal? refusal))
        {
            return refusal;
        }

        var topics = new List<(TopicEntry, Topic)>();
        foreach (TopicEntry each in entry.Definition.IsBase ? PartitionsOf(entry) : [entry])
        {
            if (!(await OpenAsync(each, CancellationToken.None)).TryGet(out Topic? topic, out refusal))
            {
                return refusal;
            }

            topics.Add((each, topic));
        }

        return topics;
    }

    /// <summary>A subscription of each topic behind a name that has it; at least one.</summary>
    private async Task<Answer<List<Subscription>>> SubscriptionsAsync(string topic, string name)
    {
        if (!(await TopicsAsync(topic)).TryGet(out List<(TopicEntry Entry, Topic Topic)>? all, out Refusal? refusal))
        {
            return refusal;
        }

        var subscriptions = new List<Subscription>();
        foreach ((_, Topic each) in all)
        {
            if (each.TryGetSubscription(name, out Subscription? subscription))
            {
                subscriptions.Add(subscription);
            }
        }

        return subscriptions.Count > 0 ? subscriptions : NoSubscription(Find(topic).Value!, name);
    }

    /// <summary>The refusal of what makes sense for one partition only; null for a topic without partitions.</summary>
    private Refusal? Partitioned(string topic, string what) =>
        Find(topic).Value is { Definition.IsBase: true } entry
            ? new Refusal(ErrorCode.BadRequest, $"{entry.Name} has {entry.Definition.Partitions} partitions: {what} on one of them, {entry.Name.PartitionTopic(0)} say.")
            : null;

    /// <summary>A subscription over several partitions; offsets are left out.</summary>
    public static SubscriptionInfo Sum(string name, IEnumerable<SubscriptionInfo> parts)
    {
        SubscriptionInfo[] all = [.. parts];
        return new SubscriptionInfo
        {
            Name = name,
            Type = all[0].Type,
            Consumers = all.Sum(s => s.Consumers),
            Backlog = all.Sum(s => s.Backlog),
            Delayed = all.Sum(s => s.Delayed),
            Blocked = Array.Find(all, s => s.Blocked is not null)?.Blocked,
        };
    }
}
