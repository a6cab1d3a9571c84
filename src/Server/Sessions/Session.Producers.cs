using Danube.Fast.Core;
using Danube.Fast.Protocol;
using Danube.Fast.Server.Sessions.Lines;
using Danube.Fast.Server.Topics;

namespace Danube.Fast.Server.Sessions;

/// <summary>Create-producer.</summary>
internal sealed partial class Session
{
    private const int MaxNameLength = 255;

    private async ValueTask<Refusal?> CreateProducerAsync(Envelope request)
    {
        CreateProducerRequest wish = Read(request, ControlJson.Default.CreateProducerRequest);
        if (_lines is not null && wish.Name.Length == 0)
        {
            // Who types lines need not think of one.
            wish.Name = $"lines-{Guid.NewGuid():N}";
        }

        if (CheckName(wish.Name, "A producer") is { } badName)
        {
            return badName;
        }

        if (ProducerNames.IsReserved(wish.Name) && !_isPeer)
        {
            return Count(new Refusal(ErrorCode.BadRequest, $"Producer names that begin with '{ProducerNames.Reserved}' are the broker's own: choose another name."));
        }

        if (!(await OpenForChannelAsync(wish.Topic, wish.Durability)).TryGet(out OpenedTopic? opened, out Refusal? refusal))
        {
            return Count(refusal);
        }

        if (opened.Topic is not { } topic)
        {
            Reply(request, new CreateProducerReply { Partitions = opened.Entry.Definition.Partitions, Durability = opened.Entry.Definition.Durability }, ControlJson.Default.CreateProducerReply);
            return null;
        }

        if (_services.Topics.CheckEpoch(opened.Entry, topic, wish.TopicEpoch) is { } later)
        {
            return Count(later);
        }

        if (_channels.Add(id => new Channel(id, opened.Entry, topic)) is not { } channel)
        {
            return Count(TooManyChannels());
        }

        LineProducer? lines = _lines is null ? null : new LineProducer(this);
        channel.Lines = lines;
        Producer producer = topic.AttachProducer(KeyHash.ProducerId(wish.Name), wish.LastSequence, channel.Id, lines ?? (IFrameSink)this);
        channel.Producer = producer;
        lines?.NextSequence = producer.LastSequence + 1;
        if (producer.Refusal != ErrorCode.None)
        {
            CloseQuietly(channel);
            return Count(new Refusal(producer.Refusal, producer.RefusalText));
        }

        if (_services.State.IsDraining)
        {
            // It began while this request was on its way.
            CloseQuietly(channel);
            return Count(BrokerState.DrainingRefusal);
        }

        var reply = new CreateProducerReply
        {
            Channel = channel.Id,
            ProducerId = producer.Id,
            LastSequence = producer.LastSequence,
            Window = producer.WindowBytes,
            TopicEpoch = topic.Log.TopicEpoch,
            Generation = GenerationOf(topic),
            Durability = opened.Entry.Definition.Durability,
        };
        return Count(Announce(channel, () => Reply(request, reply, ControlJson.Default.CreateProducerReply)));

        Refusal? Count(Refusal? answer)
        {
            _services.Requests.OnCreateProducer(wish.Topic, _services.Topics.Knows(wish.Topic), answer);
            return answer;
        }
    }

    /// <summary>Finds or creates the topic and opens it. A base topic has no open topic of its own.</summary>
    private async ValueTask<Answer<OpenedTopic>> OpenForChannelAsync(string name, string? durability)
    {
        if (_services.State.IsDraining)
        {
            return BrokerState.DrainingRefusal;
        }

        if (!(await _services.Topics.FindOrCreateAsync(name, durability, CancellationToken.None)).TryGet(out TopicEntry? entry, out Refusal? refusal))
        {
            return refusal;
        }

        if (entry.Definition.IsBase)
        {
            return new OpenedTopic(entry, null);
        }

        return (await _services.Topics.OpenAsync(entry, CancellationToken.None)).TryGet(out Topic? topic, out refusal) ? new OpenedTopic(entry, topic) : refusal;
    }

    private static uint GenerationOf(Topic topic)
    {
        lock (topic.Log.AppendLock)
        {
            return topic.Log.Generation;
        }
    }

    /// <summary>Sends the reply that names the channel, unless the engine has closed the channel meanwhile.</summary>
    /// <remarks><paramref name="reply"/> runs under the channel's lock: it only queues, it never asks the engine.</remarks>
    private Refusal? Announce(Channel channel, Action reply)
    {
        Refusal? closed = channel.Announce(reply);
        if (closed is not null)
        {
            _channels.Remove(channel);
            channel.Detach();
        }

        return closed;
    }

    private Refusal TooManyChannels() => new(
        ErrorCode.LimitExceeded, $"This connection has {_channels.Count} producers and consumers, the limit is {_services.Options.Limits.MaxChannelsPerConnection}: close some or use another connection.");

    private static Refusal? CheckName(string name, string what) => name.Length is >= 1 and <= MaxNameLength
        ? null
        : new Refusal(ErrorCode.BadRequest, $"{what} needs a name of 1 to {MaxNameLength} characters.");

    private sealed record OpenedTopic(TopicEntry Entry, Topic? Topic);
}
