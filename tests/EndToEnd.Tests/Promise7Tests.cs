using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Danube.Fast.Client;
using Danube.Fast.Harness;
using Danube.Fast.Protocol;

namespace Danube.Fast.EndToEnd.Tests;

/// <summary>Every error has a code, a sentence that says what to do, and the id of what it belongs to.</summary>
public class Promise7Tests
{
    private const string Topic = "/p7/t";

    [Fact(Timeout = 300_000)]
    public async Task Promise7_EveryRefusedRequestSaysWhyAndWhich()
    {
        await using BrokerProcess broker = await BrokerProcess.StartAsync();
        using RawConnection connection = RawConnection.Open(broker.Native);
        Accepted(connection, Commands.CreateTopic, new TopicSpec { Topic = Topic }, ControlJson.Default.TopicSpec);
        Accepted(connection, Commands.Subscribe, new SubscribeRequest { Topic = Topic, Subscription = "s", ConsumerName = "one" }, ControlJson.Default.SubscribeRequest);

        Refused(connection, "topic_exists", Commands.CreateTopic, new TopicSpec { Topic = Topic, Durability = "os" }, ControlJson.Default.TopicSpec);
        Refused(connection, "bad_topic_name", Commands.CreateTopic, new TopicSpec { Topic = "no slash" }, ControlJson.Default.TopicSpec);
        Refused(connection, "bad_request", Commands.CreateTopic, new TopicSpec { Topic = "/p7/x", Durability = "paper" }, ControlJson.Default.TopicSpec);
        Refused(connection, "topic_not_found", Commands.DescribeTopic, new TopicRequest { Topic = "/p7/absent" }, ControlJson.Default.TopicRequest);
        Refused(connection, "topic_not_found", Commands.DeleteTopic, new TopicRequest { Topic = "/p7/absent" }, ControlJson.Default.TopicRequest);
        Refused(connection, "subscription_not_found", Commands.Unsubscribe, new UnsubscribeRequest { Topic = Topic, Subscription = "absent" }, ControlJson.Default.UnsubscribeRequest);
        Refused(connection, "subscription_not_found", Commands.Seek, new SeekRequest { Topic = Topic, Subscription = "absent" }, ControlJson.Default.SeekRequest);
        Refused(connection, "bad_request", Commands.Seek, new SeekRequest { Topic = Topic, Subscription = "s", To = "yesterday" }, ControlJson.Default.SeekRequest);
        Refused(connection, "subscription_busy", Commands.Subscribe, new SubscribeRequest { Topic = Topic, Subscription = "s", ConsumerName = "two" }, ControlJson.Default.SubscribeRequest);
        Refused(connection, "subscription_type_mismatch", Commands.Subscribe, new SubscribeRequest { Topic = Topic, Subscription = "s", ConsumerName = "two", Type = "shared" }, ControlJson.Default.SubscribeRequest);
        Refused(connection, "bad_request", Commands.Subscribe, new SubscribeRequest { Topic = Topic, Subscription = "k", ConsumerName = "c", Type = "nonsense" }, ControlJson.Default.SubscribeRequest);
        Refused(connection, "bad_topic_name", Commands.CreateProducer, new CreateProducerRequest { Topic = "//", Name = "n" }, ControlJson.Default.CreateProducerRequest);
        Refused(connection, "unknown_request", "$no_such_command", new TopicRequest { Topic = Topic }, ControlJson.Default.TopicRequest);
        Refused(connection, "bad_request", Commands.DescribeTopic, new UnsubscribeRequest { Topic = Topic, Subscription = "not a member of it" }, ControlJson.Default.UnsubscribeRequest);
    }

    [Fact(Timeout = 300_000)]
    public async Task Promise7_StreamErrorsNameChannelAndSequence()
    {
        await using BrokerProcess broker = await BrokerProcess.StartAsync();
        using RawConnection connection = RawConnection.Open(broker.Native);
        CreateProducerReply producer = connection.Request(
            Commands.CreateProducer, new CreateProducerRequest { Topic = Topic, Name = "raw" }, ControlJson.Default.CreateProducerRequest, ControlJson.Default.CreateProducerReply);

        connection.Send(PublishFrames.Build(producer.Channel, producer.ProducerId, 5, MarkedMessage.Create(0, 0)));
        ErrorPayload gap = StreamErrors.Next(connection);
        AssertSentence(gap, "sequence_gap");
        Assert.Equal(producer.Channel, gap.Channel);
        Assert.Equal(5UL, gap.Sequence);

        connection.Send(PublishFrames.Build(4711, producer.ProducerId, 1, MarkedMessage.Create(0, 0)));
        ErrorPayload unknown = StreamErrors.Next(connection);
        AssertSentence(unknown, "unknown_channel");
        Assert.Equal(4711U, unknown.Channel);
    }

    [Fact(Timeout = 300_000)]
    public async Task Promise7_ABrokenConnectionIsToldWhyBeforeItIsClosed()
    {
        await using BrokerProcess broker = await BrokerProcess.StartAsync();
        byte[] wrongVersion = RawConnection.Hello();
        wrongVersion[2] = 9;
        using var connection = new RawConnection(broker.Native);
        connection.Send(wrongVersion);
        AssertSentence(StreamErrors.Next(connection), "bad_version");
        connection.Drain();

        using var impatient = new RawConnection(broker.Native);
        byte[] ping = new byte[ProtocolLimits.HeaderSize];
        PingFrame.Write(ping, FrameType.Ping, 1);
        impatient.Send(ping);
        ErrorPayload error = StreamErrors.Next(impatient);
        AssertSentence(error, error.Code);
    }

    [Fact(Timeout = 300_000)]
    public async Task Promise7_TheClientPassesAllOfItOn()
    {
        await using BrokerProcess broker = await BrokerProcess.StartAsync();
        await using DanubeClient client = await DanubeClient.ConnectAsync(broker.Url);
        DanubeException error = await Assert.ThrowsAsync<DanubeException>(async () => await client.DescribeTopicAsync("/p7/absent"));
        Assert.Equal(ErrorCode.TopicNotFound, error.Code);
        Assert.False(error.Retryable);
        Assert.False(string.IsNullOrEmpty(error.CorrelationId));
        Assert.Contains("/p7/absent", error.Message);
    }

    private static void Accepted<T>(RawConnection connection, string command, T body, JsonTypeInfo<T> type)
    {
        Envelope answer = connection.Request(command, body, type);
        Assert.True(answer.Type == FrameType.Response, answer.Error);
    }

    // The answer is found by its correlation id, so that it carries the right one is part of the call.
    private static void Refused<T>(RawConnection connection, string code, string command, T body, JsonTypeInfo<T> type)
    {
        Envelope answer = connection.Request(command, body, type);
        Assert.True(answer.Type == FrameType.Error, $"{command} was accepted instead of {code}");
        AssertSentence(JsonSerializer.Deserialize(answer.ErrorBody!.Value.Span, ControlJson.Default.ErrorPayload)!, code);
    }

    private static void AssertSentence(ErrorPayload error, string code)
    {
        Assert.Equal(code, error.Code);
        Assert.True(error.Message.Length >= 20 && error.Message.Contains(' '), $"'{error.Message}' is not a sentence");
        Assert.Equal(error.Message, error.Error);
        Assert.Equal(ErrorCodes.IsRetryable(ErrorCodes.Parse(code)), error.Retryable);
    }
}
