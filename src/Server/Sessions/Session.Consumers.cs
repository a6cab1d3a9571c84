using Danube.Fast.Core;
using Danube.Fast.Protocol;
using Danube.Fast.Server.Sessions.Lines;
using Danube.Fast.Server.Topics;

namespace Danube.Fast.Server.Sessions;

/// <summary>Subscribe, unsubscribe, seek.</summary>
internal sealed partial class Session
{
    private async ValueTask<Refusal?> SubscribeAsync(Envelope request)
    {
        SubscribeRequest wish = Read(request, ControlJson.Default.SubscribeRequest);
        Refusal? refusal = await SubscribeAsync(request, wish);
        if (refusal is not null || !_services.Topics.IsBase(wish.Topic))
        {
            // A base only tells its partitions: nothing is subscribed there, and the name that the peer gives is no subscription's.
            _services.Requests.OnSubscribe(wish.Topic, _services.Topics.Knows(wish.Topic), wish.Subscription, wish.Type, wish.Reader, refusal);
        }

        return refusal;
    }

    private async ValueTask<Refusal?> SubscribeAsync(Envelope request, SubscribeRequest wish)
    {
        if (!ReadSpec(wish).TryGet(out SubscriptionSpec spec, out Refusal? refusal)
            || !(await OpenForChannelAsync(wish.Topic, wish.Durability)).TryGet(out OpenedTopic? opened, out refusal))
        {
            return refusal;
        }

        if (opened.Topic is not { } topic)
        {
            Reply(request, new SubscribeReply { Partitions = opened.Entry.Definition.Partitions }, ControlJson.Default.SubscribeReply);
            return null;
        }

        if (_services.Topics.CheckEpoch(opened.Entry, topic, wish.TopicEpoch) is { } later)
        {
            return later;
        }

        if (!topic.HasRoomForConsumer(topic.TryGetSubscription(spec.Name, out Subscription? known) ? known : null, wish.ConsumerName, out string crowded))
        {
            return new Refusal(ErrorCode.LimitExceeded, crowded);
        }

        if (!(await _services.Topics.OpenSubscriptionAsync(opened.Entry, topic, spec, wish.Policy, CancellationToken.None)).TryGet(out Subscription? subscription, out refusal))
        {
            return refusal;
        }

        if (_channels.Add(id => new Channel(id, opened.Entry, topic)) is not { } channel)
        {
            DropReader(subscription);
            return TooManyChannels();
        }

        string name = wish.ConsumerName.Length > 0 ? wish.ConsumerName : $"consumer-{_connection.Id}-{channel.Id}";
        LineConsumer? lines = _lines is null ? null : new LineConsumer(this, _lines);
        channel.Lines = lines;
        ErrorCode error = topic.AddConsumer(subscription, name, wish.Priority, channel.Id, lines ?? (IFrameSink)this, out Consumer? consumer, out string message);
        if (error != ErrorCode.None || consumer is null)
        {
            _channels.Remove(channel);
            DropReader(subscription);
            return new Refusal(error, message);
        }

        channel.Consumer = consumer;
        var reply = new SubscribeReply
        {
            Channel = channel.Id,
            SubscriptionEpoch = consumer.Epoch,
            TopicEpoch = topic.Log.TopicEpoch,
            MarkDelete = subscription.MarkDelete,
            DurableEnd = topic.Log.Visible,
            Generation = GenerationOf(topic),
            Subscription = subscription.Name,
        };
        Refusal? closed = Announce(channel, () => Reply(request, reply, ControlJson.Default.SubscribeReply));
        if (closed is null)
        {
            lines?.Start(consumer);
        }

        return closed;
    }

    private async ValueTask<Refusal?> UnsubscribeAsync(Envelope request)
    {
        UnsubscribeRequest wish = Read(request, ControlJson.Default.UnsubscribeRequest);
        Refusal? missing = null;
        bool removed = false;
        foreach (string name in NamesOf(wish.Topic))
        {
            if ((await OpenExistingAsync(name)).TryGet(out OpenedTopic? opened, out Refusal? refusal)
                && (await _services.Topics.RemoveSubscriptionAsync(opened.Entry, opened.Topic!, wish.Subscription, CancellationToken.None)).TryGet(out _, out refusal))
            {
                removed = true;
            }
            else if (refusal!.Code == ErrorCode.SubscriptionNotFound)
            {
                // An attempt that failed half-way has removed it from some partitions already.
                missing = refusal;
            }
            else
            {
                return refusal;
            }
        }

        if (!removed && missing is not null)
        {
            return missing;
        }

        Reply(request, new EmptyReply(), ControlJson.Default.EmptyReply);
        return null;
    }

    private async ValueTask<Refusal?> SeekAsync(Envelope request)
    {
        SeekRequest wish = Read(request, ControlJson.Default.SeekRequest);
        if (!StartPosition.TryParse(wish.To, out StartPosition to))
        {
            return BadStart(wish.To);
        }

        var reply = new SeekReply();
        foreach (string name in NamesOf(wish.Topic))
        {
            if (!(await OpenExistingAsync(name)).TryGet(out OpenedTopic? opened, out Refusal? refusal))
            {
                return refusal;
            }

            if (!opened.Topic!.TryGetSubscription(wish.Subscription, out Subscription? subscription))
            {
                return TopicRegistry.NoSubscription(opened.Entry, wish.Subscription);
            }

            reply = await subscription.SeekAsync(to, CancellationToken.None);
        }

        Reply(request, reply, ControlJson.Default.SeekReply);
        return null;
    }

    /// <summary>The topics with logs behind a name: itself, or its partitions.</summary>
    private string[] NamesOf(string topic) =>
        _services.Topics.Find(topic).Value is { Definition.IsBase: true } entry
            ? [.. Enumerable.Range(0, entry.Definition.Partitions).Select(entry.Name.PartitionTopic)]
            : [topic];

    private async ValueTask<Answer<OpenedTopic>> OpenExistingAsync(string name)
    {
        if (!_services.Topics.Find(name).TryGet(out TopicEntry? entry, out Refusal? refusal)
            || !(await _services.Topics.OpenAsync(entry, CancellationToken.None)).TryGet(out Topic? topic, out refusal))
        {
            return refusal;
        }

        return new OpenedTopic(entry, topic);
    }

    // A reader whose consumer could not be made.
    private static void DropReader(Subscription subscription)
    {
        if (subscription.IsReader)
        {
            subscription.EndReader();
        }
    }

    private static Answer<SubscriptionSpec> ReadSpec(SubscribeRequest wish)
    {
        if (wish.Reader ? wish.Subscription.Length > 0 : !TopicName.IsPart(wish.Subscription))
        {
            return new Refusal(ErrorCode.BadRequest, wish.Reader
                ? "A reader has no subscription name: leave it empty, the broker makes one up."
                : $"A subscription needs a name of 1 to {TopicName.MaxPartLength} of A-Z a-z 0-9 . _ -.");
        }

        if (wish.ConsumerName.Length > MaxNameLength)
        {
            return new Refusal(ErrorCode.BadRequest, $"A consumer name has at most {MaxNameLength} characters.");
        }

        if (!SubscriptionTypes.TryParse(wish.Type, out SubscriptionType type))
        {
            return new Refusal(ErrorCode.BadRequest, "The subscription type is unknown: use exclusive, shared, failover or key_shared.");
        }

        if (wish.Reader && type != SubscriptionType.Exclusive)
        {
            return new Refusal(ErrorCode.BadRequest, "A reader is alone on its subscription: its type must be exclusive.");
        }

        if (wish.Policy is { } policy && SubscriptionPolicies.Check(policy, wish.Topic) is { } wrong)
        {
            return wrong;
        }

        string name = wish.Reader ? $"reader-{Guid.NewGuid():N}" : wish.Subscription;
        return StartPosition.TryParse(wish.Start, out StartPosition start) ? new SubscriptionSpec(name, type, start) { IsReader = wish.Reader } : BadStart(wish.Start);
    }

    private static Refusal BadStart(string text) => new(
        ErrorCode.BadRequest, $"The position '{Printable(text.Length > 40 ? text[..40] : text)}' is unknown: use earliest, latest, offset:N or time:UNIX_MICROSECONDS.");
}
