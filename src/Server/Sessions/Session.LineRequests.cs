using Danube.Fast.Core;
using Danube.Fast.Protocol;
using Danube.Fast.Server.Sessions.Lines;

namespace Danube.Fast.Server.Sessions;

/// <summary>The requests of JSON lines that are frames of their own elsewhere.</summary>
internal sealed partial class Session
{
    private const int MaxCredit = 1_000_000;
    private const int MaxOffsetsPerAck = 65_536;

    private ValueTask<Refusal?> DispatchLineAsync(Envelope request) => request.Id switch
    {
        Commands.Publish => PublishLineAsync(request),
        Commands.Credit => ValueTask.FromResult(OnCreditLine(Read(request, ControlJson.Default.CreditRequest))),
        Commands.Ack => AckLineAsync(Read(request, ControlJson.Default.AckRequest)),
        Commands.Nack => ValueTask.FromResult(OnAckLine(Read(request, ControlJson.Default.AckRequest), isNack: true)),
        Commands.Close => CloseLineAsync(request),
        _ => UnknownAsync(request),
    };

    /// <summary>Publishes one batch. The answer comes when the engine acknowledges it.</summary>
    private async ValueTask<Refusal?> PublishLineAsync(Envelope request)
    {
        PublishRequest wish = Read(request, ControlJson.Default.PublishRequest);
        if (!FindLineChannel(wish.Channel).TryGet(out Channel? channel, out Refusal? refusal))
        {
            return refusal;
        }

        if (channel is not { Producer: { } producer, Lines: LineProducer lines })
        {
            return new Refusal(ErrorCode.BadRequest, $"Channel {wish.Channel} is a consumer: publish on the channel of a $create_producer.");
        }

        ulong sequence = wish.Sequence ?? lines.NextSequence;
        if (!LineBatch.Build(wish, producer.Id, sequence, _maxFrame).TryGet(out byte[]? frame, out refusal))
        {
            return refusal;
        }

        if (PublishValidator.Validate(frame, _maxFrame) is not ErrorCode.None and var invalid)
        {
            return new Refusal(invalid, ErrorTexts.Of(invalid));
        }

        var open = new OpenPublish(new Envelope { Id = request.Id, Source = request.Source, CorrelationId = request.CorrelationId }, sequence, wish.Messages.Length);
        refusal = lines.Enter(open) ?? await PublishLineAsync(channel, producer, frame);
        if (refusal is null)
        {
            lines.NextSequence = Math.Max(lines.NextSequence, sequence + (ulong)wish.Messages.Length);
            return null;
        }

        return lines.Leave(open) ? refusal : null;
    }

    private async ValueTask<Refusal?> PublishLineAsync(Channel channel, Producer producer, byte[] frame)
    {
        while (_channels.Find(channel.Id) == channel)
        {
            PublishResult result = channel.Topic.Publish(producer, frame, _receivedAt);
            if (result.NotReady)
            {
                await channel.Topic.Log.WaitForRoomAsync();
            }
            else if (result.Error == ErrorCode.WindowExceeded)
            {
                // Frames that came before have used it up; a line is refused alone, nothing behind it depends on it.
                return new Refusal(ErrorCode.LimitExceeded, "Too many bytes wait to be stored: wait for the answers of earlier publishes.");
            }
            else
            {
                string text = producer.Refusal == result.Error && producer.RefusalText.Length > 0 ? producer.RefusalText : ErrorTexts.Of(result.Error);
                return result.Error == ErrorCode.None ? null : new Refusal(result.Error, text);
            }
        }

        return new Refusal(ErrorCode.UnknownChannel, "The producer was closed.");
    }

    private Refusal? OnCreditLine(CreditRequest wish)
    {
        if (wish.Records is < 1 or > MaxCredit)
        {
            return new Refusal(ErrorCode.BadRequest, $"records is {wish.Records}, but it must be from 1 to {MaxCredit}.");
        }

        if (!FindLineConsumer(wish.Channel).TryGet(out (Consumer Consumer, LineConsumer Lines) found, out Refusal? refusal))
        {
            return refusal;
        }

        found.Lines.AddCredit(wish.Records);
        return null;
    }

    // The answer says that it counts: without the owner's proof it has to wait.
    private async ValueTask<Refusal?> AckLineAsync(AckRequest wish)
    {
        if (_services.Topics.Lookup is { } lookup && FindLineChannel(wish.Channel).Value is { } channel && !await channel.Topic.WhenProvenAsync())
        {
            return lookup.Unproven();
        }

        return OnAckLine(wish, isNack: false);
    }

    private Refusal? OnAckLine(AckRequest wish, bool isNack)
    {
        if (!FindLineConsumer(wish.Channel).TryGet(out (Consumer Consumer, LineConsumer Lines) found, out Refusal? refusal))
        {
            return refusal;
        }

        if (wish.Offsets.Length > MaxOffsetsPerAck || (wish.Offsets.Length == 0 && wish.Below is null))
        {
            return new Refusal(ErrorCode.BadRequest, $"offsets takes 1 to {MaxOffsetsPerAck} offsets.");
        }

        if (isNack ? wish.Below is not null || wish.DelayMs < 0 : wish.DelayMs is not null)
        {
            return new Refusal(ErrorCode.BadRequest, isNack ? "A nack names offsets, and a delay_ms of 0 or more." : "An ack has no delay_ms.");
        }

        byte[] frame = LineAck.Build(wish, found.Lines.WrittenEpoch, isNack, out long records);
        ErrorCode error = found.Lines.IsUnwritten(new AckFrame(frame)) ? ErrorCode.BadAck
            : isNack ? found.Consumer.OnNack(new AckFrame(frame))
            : found.Consumer.OnAck(new AckFrame(frame));
        if (error != ErrorCode.None)
        {
            return new Refusal(error, ErrorTexts.Of(error));
        }

        found.Lines.Renew(wish.Below is null ? records : LineConsumer.Window);
        return null;
    }

    /// <summary>Closes a producer, once what it has published is answered, or a consumer, or (0) the connection.</summary>
    private async ValueTask<Refusal?> CloseLineAsync(Envelope request)
    {
        CloseRequest wish = Read(request, ControlJson.Default.CloseRequest);
        if (wish.Channel == 0)
        {
            await AnswerOpenPublishesAsync();
            Reply(request, new EmptyReply(), ControlJson.Default.EmptyReply);
            _closeReason = "the peer closed it";
            End();
            return null;
        }

        if (!FindLineChannel(wish.Channel).TryGet(out Channel? channel, out Refusal? refusal))
        {
            return refusal;
        }

        await AnswerOpenPublishesAsync();
        CloseQuietly(channel);
        Reply(request, new EmptyReply(), ControlJson.Default.EmptyReply);
        return null;
    }

    private Answer<Channel> FindLineChannel(uint id) => _channels.Find(id) is { } channel
        ? channel
        : new Refusal(ErrorCode.UnknownChannel, $"Channel {id} is not open on this connection: create a producer or subscribe first.");

    private Answer<(Consumer Consumer, LineConsumer Lines)> FindLineConsumer(uint id)
    {
        if (!FindLineChannel(id).TryGet(out Channel? channel, out Refusal? refusal))
        {
            return refusal;
        }

        return channel is { Consumer: { } consumer, Lines: LineConsumer lines }
            ? (consumer, lines)
            : new Refusal(ErrorCode.BadRequest, $"Channel {id} is a producer: use the channel of a $subscribe.");
    }
}
