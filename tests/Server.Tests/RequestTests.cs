using System.Text;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Tests;

/// <summary>The control plane over the native protocol.</summary>
public sealed class RequestTests
{
    [Fact]
    public async Task Topics_are_created_listed_described_and_deleted()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.HelloAsync();
        TopicInfo created = (await CreateAsync(client, new TopicSpec { Topic = "/a/one", Durability = "memory" })).Payload(ControlJson.Default.TopicInfo);
        Assert.Equal(("/a/one", "memory", 1, "ok"), (created.Topic, created.Durability, created.Partitions, created.State));
        Assert.Equal("topic_exists", (await CreateAsync(client, new TopicSpec { Topic = "/a/one" })).Error.Code);
        await CreateAsync(client, new TopicSpec { Topic = "/b/two", Durability = "memory" });

        Assert.Equal(["/a/one", "/b/two"], await ListAsync(client, null));
        Assert.Equal(["/b/two"], await ListAsync(client, "b"));

        ReceivedFrame deleted = await DeleteAsync(client, "/a/one");
        Assert.Equal(FrameType.Response, deleted.Type);
        Assert.Equal("topic_not_found", (await DeleteAsync(client, "/a/one")).Error.Code);
        Assert.Equal(["/b/two"], await ListAsync(client, null));

        TopicInfo again = (await CreateAsync(client, new TopicSpec { Topic = "/a/one", Durability = "memory" })).Payload(ControlJson.Default.TopicInfo);
        Assert.True(again.TopicId > created.TopicId);
    }

    [Theory]
    [InlineData("nothing", "bad_topic_name")]
    [InlineData("/a", "bad_topic_name")]
    [InlineData("/a/b/c", "bad_topic_name")]
    [InlineData("/a/b c", "bad_topic_name")]
    [InlineData("/a/../b", "bad_topic_name")]
    public async Task Bad_names_are_refused(string name, string code)
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.HelloAsync();
        Assert.Equal(code, (await CreateAsync(client, new TopicSpec { Topic = name })).Error.Code);
    }

    [Theory]
    [InlineData("{\"topic\":\"/a/b\",\"durability\":\"object\"}", "bad_request")]
    [InlineData("{\"topic\":\"/a/b\",\"partitions\":0}", "bad_request")]
    [InlineData("{\"topic\":\"/a/b\",\"partitions\":5000}", "bad_request")]
    [InlineData("{\"topic\":\"/a/b\",\"retention_ms\":-1}", "bad_request")]
    [InlineData("{\"topic\":\"/a/b\",\"colour\":\"red\"}", "bad_request")]
    [InlineData("{\"topic\":5}", "bad_request")]
    [InlineData("[]", "bad_request")]
    [InlineData("null", "bad_request")]
    [InlineData("{", "bad_request")]
    public async Task Bad_payloads_are_refused_and_the_connection_goes_on(string payload, string code)
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.HelloAsync();
        await client.SendAsync(RawClient.RequestFrame(Commands.CreateTopic, Encoding.UTF8.GetBytes(payload), "c-7"));
        ReceivedFrame answer = await client.ReceiveAsync();
        Assert.Equal((FrameType.Error, code, "c-7"), (answer.Type, answer.Error.Code, answer.Envelope.CorrelationId));
        Assert.NotEmpty(answer.Error.Message);
        Assert.Empty(await ListAsync(client, null));
    }

    [Fact]
    public async Task An_unknown_member_is_named()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.HelloAsync();
        await client.SendAsync(RawClient.RequestFrame(Commands.CreateTopic, "{\"topic\":\"/a/b\",\"colour\":\"red\"}"u8.ToArray()));
        Assert.Contains("colour", (await client.ReceiveAsync()).Error.Message);
    }

    [Fact]
    public async Task An_unknown_request_is_named()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.HelloAsync();
        await client.SendAsync(RawClient.RequestFrame("$fly", "{}"u8.ToArray(), "9"));
        ReceivedFrame answer = await client.ReceiveAsync();
        Assert.Equal(("unknown_request", "9"), (answer.Error.Code, answer.Envelope.CorrelationId));
        Assert.Contains("$fly", answer.Error.Message);
    }

    [Fact]
    public async Task Requests_are_answered_in_order()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.HelloAsync();
        var piece = new List<byte>();
        for (int i = 0; i < 50; i++)
        {
            byte[] payload = Encoding.UTF8.GetBytes($"{{\"topic\":\"/o/t{i}\",\"durability\":\"memory\"}}");
            piece.AddRange(RawClient.RequestFrame(Commands.CreateTopic, payload, $"{i}"));
        }

        await client.SendAsync(piece.ToArray());
        for (int i = 0; i < 50; i++)
        {
            Assert.Equal($"{i}", (await client.ReceiveAsync()).Envelope.CorrelationId);
        }
    }

    [Fact]
    public async Task Without_auto_create_an_unknown_topic_is_an_error()
    {
        await using TestBroker broker = await TestBroker.StartAsync(o => o with { Topics = o.Topics with { AutoCreate = false } });
        using RawClient client = await broker.HelloAsync();
        ReceivedFrame answer = await client.RequestAsync(
            Commands.CreateProducer, new CreateProducerRequest { Topic = "/a/b", Name = "p" }, ControlJson.Default.CreateProducerRequest);
        Assert.Equal("topic_not_found", answer.Error.Code);
    }

    [Fact]
    public async Task A_partitioned_topic_is_a_base_and_its_parts()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.HelloAsync();
        TopicInfo created = (await CreateAsync(client, new TopicSpec { Topic = "/a/b", Durability = "memory", Partitions = 3 })).Payload(ControlJson.Default.TopicInfo);
        Assert.Equal(3, created.Partitions);
        Assert.Equal(["/a/b"], await ListAsync(client, null));

        CreateProducerReply lookup = await client.CreateProducerAsync("/a/b");
        Assert.Equal((3, 0u), (lookup.Partitions, lookup.Channel));
        Assert.Equal(3, (await client.SubscribeAsync("/a/b")).Partitions);
        CreateProducerReply part = await client.CreateProducerAsync("/a/b-part-2");
        Assert.Equal((1, 1u), (part.Partitions, part.Channel));
        await client.SubscribeAsync("/a/b-part-0");
        await client.SubscribeAsync("/a/b-part-1");
        await client.SubscribeAsync("/a/b-part-2");
        Assert.Equal(3, Assert.Single((await DataPathTests.DescribeAsync(client, "/a/b")).Subscriptions).Consumers);

        Assert.Equal("bad_request", (await DeleteAsync(client, "/a/b-part-1")).Error.Code);
        Assert.Equal(FrameType.Response, (await UnsubscribeAsync(client, "/a/b", "s")).Type);
        Assert.Equal(FrameType.Response, (await DeleteAsync(client, "/a/b")).Type);
        Assert.Empty(await ListAsync(client, null));
        Assert.Equal("topic_not_found", (await DeleteAsync(client, "/a/b-part-1")).Error.Code);
    }

    [Fact]
    public async Task Deleting_a_topic_closes_its_producers_and_consumers()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.HelloAsync();
        using RawClient admin = await broker.HelloAsync();
        await client.CreateProducerAsync("/a/b");
        await client.SubscribeAsync("/a/b");
        await DeleteAsync(admin, "/a/b");
        uint[] closed = [(await client.ReceiveAsync(FrameType.Close)).Close.Channel, (await client.ReceiveAsync(FrameType.Close)).Close.Channel];
        Assert.Equal([1u, 2u], closed.Order());
    }

    [Theory]
    [InlineData("", "s", "exclusive", "earliest", "bad_topic_name")]
    [InlineData("/a/b", "", "exclusive", "earliest", "bad_request")]
    [InlineData("/a/b", "s s", "exclusive", "earliest", "bad_request")]
    [InlineData("/a/b", "s", "round", "earliest", "bad_request")]
    [InlineData("/a/b", "s", "exclusive", "yesterday", "bad_request")]
    [InlineData("/a/b", "s", "exclusive", "offset:-1", "bad_request")]
    public async Task Bad_subscribes_are_refused(string topic, string subscription, string type, string start, string code)
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.HelloAsync();
        ReceivedFrame answer = await client.RequestAsync(
            Commands.Subscribe,
            new SubscribeRequest { Topic = topic, Subscription = subscription, Type = type, Start = start, Durability = "memory" },
            ControlJson.Default.SubscribeRequest);
        Assert.Equal((FrameType.Error, code), (answer.Type, answer.Error.Code));
    }

    [Fact]
    public async Task An_exclusive_subscription_is_busy_for_others_and_changes_no_type()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.HelloAsync();
        await client.SubscribeAsync("/a/b", consumer: "one");
        Assert.Equal("subscription_busy", (await TrySubscribeAsync(client, "exclusive", "two")).Error.Code);
        Assert.Equal("subscription_type_mismatch", (await TrySubscribeAsync(client, "shared", "two")).Error.Code);
        using RawClient second = await broker.HelloAsync();
        await second.SubscribeAsync("/a/b", consumer: "one");
        Assert.Equal(ErrorCode.Fenced, (await client.ReceiveAsync(FrameType.Close)).Close.Code);
    }

    [Fact]
    public async Task A_seek_moves_the_subscription_and_raises_its_epoch()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.HelloAsync();
        CreateProducerReply producer = await client.CreateProducerAsync("/a/b");
        await client.SendAsync(Frames.Publish(producer, 1, "0"u8.ToArray(), "1"u8.ToArray(), "2"u8.ToArray()));
        await client.ReceiveAsync(FrameType.PublishAck);
        SubscribeReply consumer = await client.SubscribeAsync("/a/b", start: "latest");
        Assert.Equal(3, consumer.MarkDelete);
        SeekReply seek = (await client.RequestAsync(
            Commands.Seek, new SeekRequest { Topic = "/a/b", Subscription = "s", To = "offset:1" }, ControlJson.Default.SeekRequest)).Payload(ControlJson.Default.SeekReply);
        Assert.Equal(1, seek.MarkDelete);
        Assert.True(seek.SubscriptionEpoch > consumer.SubscriptionEpoch);
        ReceivedFrame unknown = await client.RequestAsync(
            Commands.Seek, new SeekRequest { Topic = "/a/b", Subscription = "none" }, ControlJson.Default.SeekRequest);
        Assert.Equal("subscription_not_found", unknown.Error.Code);
    }

    [Fact]
    public async Task Unsubscribing_removes_the_subscription_and_closes_its_consumers()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.HelloAsync();
        using RawClient admin = await broker.HelloAsync();
        await client.SubscribeAsync("/a/b");
        Assert.Equal(FrameType.Response, (await UnsubscribeAsync(admin, "/a/b", "s")).Type);
        await client.ReceiveAsync(FrameType.Close);
        Assert.Empty((await DataPathTests.DescribeAsync(client, "/a/b")).Subscriptions);
        Assert.Equal("subscription_not_found", (await UnsubscribeAsync(admin, "/a/b", "s")).Error.Code);
    }

    [Fact]
    public async Task What_a_connection_may_hold_is_bounded()
    {
        await using TestBroker broker = await TestBroker.StartAsync(o => o with
        {
            Limits = o.Limits with { MaxChannelsPerConnection = 2, MaxTopics = 2, MaxSubscriptionsPerTopic = 1 },
        });
        using RawClient client = await broker.HelloAsync();
        await client.SubscribeAsync("/a/b");
        ReceivedFrame subscriptions = await client.RequestAsync(
            Commands.Subscribe, new SubscribeRequest { Topic = "/a/b", Subscription = "other", Start = "earliest" }, ControlJson.Default.SubscribeRequest);
        Assert.Equal("limit_exceeded", subscriptions.Error.Code);
        await client.CreateProducerAsync("/a/b");
        ReceivedFrame channels = await client.RequestAsync(
            Commands.CreateProducer, new CreateProducerRequest { Topic = "/a/b", Name = "q" }, ControlJson.Default.CreateProducerRequest);
        Assert.Equal(("limit_exceeded", true), (channels.Error.Code, channels.Error.Retryable));
        await CreateAsync(client, new TopicSpec { Topic = "/a/c", Durability = "memory" });
        Assert.Equal("limit_exceeded", (await CreateAsync(client, new TopicSpec { Topic = "/a/d", Durability = "memory" })).Error.Code);
        ReceivedFrame name = await client.RequestAsync(
            Commands.CreateProducer, new CreateProducerRequest { Topic = "/a/b", Name = new string('x', 300) }, ControlJson.Default.CreateProducerRequest);
        Assert.Equal("bad_request", name.Error.Code);
    }

    [Fact]
    public async Task A_connection_too_many_is_told_so()
    {
        await using TestBroker broker = await TestBroker.StartAsync(o => o with { Limits = o.Limits with { MaxConnections = 1 } });
        using RawClient first = await broker.HelloAsync();
        using (RawClient second = await broker.ConnectAsync())
        {
            await second.SendAsync(RawClient.HelloFrame());
            Assert.Equal("limit_exceeded", (await second.ReceiveAsync()).Error.Code);
            await second.AssertEndedAsync();
        }

        await first.SendAsync(Frames.Ping(1));
        await first.ReceiveAsync(FrameType.Pong);
    }

    private static Task<ReceivedFrame> CreateAsync(RawClient client, TopicSpec spec) =>
        client.RequestAsync(Commands.CreateTopic, spec, ControlJson.Default.TopicSpec);

    private static Task<ReceivedFrame> DeleteAsync(RawClient client, string topic) =>
        client.RequestAsync(Commands.DeleteTopic, new TopicRequest { Topic = topic }, ControlJson.Default.TopicRequest);

    private static Task<ReceivedFrame> UnsubscribeAsync(RawClient client, string topic, string subscription) =>
        client.RequestAsync(Commands.Unsubscribe, new UnsubscribeRequest { Topic = topic, Subscription = subscription }, ControlJson.Default.UnsubscribeRequest);

    private static Task<ReceivedFrame> TrySubscribeAsync(RawClient client, string type, string consumer) => client.RequestAsync(
        Commands.Subscribe,
        new SubscribeRequest { Topic = "/a/b", Subscription = "s", Type = type, ConsumerName = consumer, Start = "earliest" },
        ControlJson.Default.SubscribeRequest);

    private static async Task<string[]> ListAsync(RawClient client, string? ns)
    {
        ReceivedFrame reply = await client.RequestAsync(Commands.ListTopics, new ListTopicsRequest { Namespace = ns }, ControlJson.Default.ListTopicsRequest);
        return [.. reply.Payload(ControlJson.Default.ListTopicsReply).Topics.Select(t => t.Topic)];
    }
}
