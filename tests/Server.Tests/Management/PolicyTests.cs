using Danube.Fast.Core;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Tests;

/// <summary>Policies: who overrides whom, what is refused, and that a change counts at once and after a restart.</summary>
public sealed class PolicyTests
{
    [Fact]
    public async Task What_a_topic_says_goes_before_its_namespace_and_that_before_the_broker()
    {
        await using TestBroker broker = await TestBroker.StartAsync(o => o with
        {
            Topics = o.Topics with { Policy = o.Topics.Policy with { MaxProducers = 1, MaxConsumers = 1, MaxSubscriptions = 1 } },
        });
        using RawClient client = await broker.HelloAsync();
        await client.SetNamespaceAsync(new NamespaceSpec { Namespace = "a", MaxProducers = 2, MaxConsumers = 2 });
        await client.CreateAsync(new TopicSpec { Topic = "/a/t", Durability = "memory", MaxProducers = 3 });
        Assert.Equal((3, 2, 1), Limits(broker, "/a/t"));
        await client.CreateAsync(new TopicSpec { Topic = "/b/t", Durability = "memory" });
        Assert.Equal((1, 1, 1), Limits(broker, "/b/t"));

        // 0 is a value: without limit.
        TopicInfo info = await client.SetPolicyAsync(new TopicSpec { Topic = "/a/t", MaxConsumers = 0 });
        Assert.Equal((3, 0, 1), Limits(broker, "/a/t"));
        Assert.Equal(new TopicPolicy { MaxProducers = 3, MaxConsumers = 0 }, info.Policy);
        await client.SetNamespaceAsync(new NamespaceSpec { Namespace = "a", MaxSubscriptions = 9 });
        Assert.Equal((3, 0, 9), Limits(broker, "/a/t"));
        Assert.Equal(new NamespaceSpec { Namespace = "a", MaxProducers = 2, MaxConsumers = 2, MaxSubscriptions = 9 }, await client.NamespaceAsync("a"));
        Assert.Equal(new NamespaceSpec { Namespace = "other" }, await client.NamespaceAsync("other"));
        ReceivedFrame list = await client.RequestAsync(Commands.ListTopics, new ListTopicsRequest(), ControlJson.Default.ListTopicsRequest);
        Assert.All(list.Payload(ControlJson.Default.ListTopicsReply).Topics, t => Assert.Null(t.Policy));
    }

    [Fact]
    public async Task A_refused_consumer_leaves_no_subscription_and_finds_room_when_another_goes()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.HelloAsync();
        await client.CreateAsync(new TopicSpec { Topic = "/a/t", Durability = "os", MaxConsumers = 1 });
        SubscribeReply first = await client.SubscribeAsync("/a/t", "s");
        var second = new SubscribeRequest { Topic = "/a/t", Subscription = "other", ConsumerName = "d", Start = "earliest" };
        ErrorPayload refused = await client.RefusedAsync(Commands.Subscribe, second, ControlJson.Default.SubscribeRequest);
        Assert.Equal(("limit_exceeded", true), (refused.Code, refused.Retryable));
        Assert.Equal(["s"], (await DataPathTests.DescribeAsync(client, "/a/t")).Subscriptions.Select(s => s.Name));

        // Who takes over needs no room; a reader does.
        Assert.Equal("limit_exceeded", (await client.RefusedAsync(Commands.Subscribe, new SubscribeRequest { Topic = "/a/t", Reader = true, Start = "earliest" }, ControlJson.Default.SubscribeRequest)).Code);
        SubscribeReply again = await client.SubscribeAsync("/a/t", "s");
        Assert.NotEqual(first.Channel, again.Channel);
        await client.SendAsync(Frames.Close(again.Channel));
        Assert.Equal("other", (await client.SubscribeAsync(second)).Subscription);
    }

    [Fact]
    public async Task Names_of_the_engines_own_producers_are_refused()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.HelloAsync();
        var wish = new CreateProducerRequest { Topic = "/a/t-dead-letter", Name = "danube.dead_letter /a/t s", Durability = "memory" };
        ErrorPayload refused = await client.RefusedAsync(Commands.CreateProducer, wish, ControlJson.Default.CreateProducerRequest);
        Assert.Equal(("bad_request", false), (refused.Code, refused.Retryable));
        Assert.Contains("danube.", refused.Message, StringComparison.Ordinal);
        Assert.NotEqual(0u, (await client.CreateProducerAsync("/a/t-dead-letter", "danube")).Channel);
    }

    [Fact]
    public async Task Policies_are_kept_over_a_restart()
    {
        using var folder = new TempFolder();
        var policy = new SubscriptionPolicy { AckTimeoutMs = 0, MaxRedeliveries = 7, FailurePolicy = "dead_letter", BackOffMinMs = 5, BackOffMaxMs = 50 };
        await using (TestBroker broker = await TestBroker.StartAsync(folder: folder.Path))
        {
            using RawClient client = await broker.HelloAsync();
            await client.CreateAsync(new TopicSpec { Topic = "/a/t", Durability = "os", RetentionMs = 5, BacklogQuotaAction = "drop_oldest" });
            await client.SetPolicyAsync(new TopicSpec { Topic = "/a/t", MaxProducers = 4, RetentionMs = 1_000_000_000 });
            await client.SetNamespaceAsync(new NamespaceSpec { Namespace = "a", MaxTopics = 1, MaxConsumers = 6 });
            await client.SubscribeAsync(new SubscribeRequest { Topic = "/a/t", Subscription = "s", ConsumerName = "c", Policy = policy });
        }

        await using TestBroker again = await TestBroker.StartAsync(folder: folder.Path);
        using RawClient reader = await again.HelloAsync();
        TopicInfo info = await DataPathTests.DescribeAsync(reader, "/a/t");
        Assert.Equal(new TopicPolicy { MaxProducers = 4, RetentionMs = 1_000_000_000, BacklogQuotaAction = "drop_oldest" }, info.Policy);
        Assert.Equal((4, 6, 0), Limits(again, "/a/t"));
        Assert.True(Options(again, "/a/t").BacklogQuotaDropsOldest);
        Assert.Equal(new NamespaceSpec { Namespace = "a", MaxTopics = 1, MaxConsumers = 6 }, await reader.NamespaceAsync("a"));
        Assert.Equal(policy with { DeadLetterTopic = "/a/t-dead-letter" }, (await reader.DescribeAsync("/a/t", "s")).Policy);
    }

    [Fact]
    public async Task The_policy_of_a_partitioned_topic_holds_for_its_partitions_and_is_set_there_only()
    {
        using var folder = new TempFolder();
        await using (TestBroker broker = await TestBroker.StartAsync(folder: folder.Path))
        {
            using RawClient client = await broker.HelloAsync();
            await client.CreateAsync(new TopicSpec { Topic = "/a/p", Partitions = 2, Durability = "os", MaxProducers = 1 });
            Assert.Equal(1, Limits(broker, "/a/p-part-1").Producers);
            await client.SetPolicyAsync(new TopicSpec { Topic = "/a/p", MaxProducers = 2 });
            Assert.Equal(2, Limits(broker, "/a/p-part-0").Producers);
            ErrorPayload refused = await client.RefusedAsync(Commands.SetTopicPolicy, new TopicSpec { Topic = "/a/p-part-0", MaxProducers = 3 }, ControlJson.Default.TopicSpec);
            Assert.Equal("bad_request", refused.Code);
            Assert.Contains("set the policy of /a/p", refused.Message);
            ErrorPayload kept = await client.RefusedAsync(Commands.DeleteTopic, new TopicRequest { Topic = "/a/p-part-0" }, ControlJson.Default.TopicRequest);
            Assert.Contains("delete /a/p as a whole", kept.Message);
        }

        await using TestBroker again = await TestBroker.StartAsync(folder: folder.Path);
        using RawClient reader = await again.HelloAsync();
        Assert.Equal(2, (await DataPathTests.DescribeAsync(reader, "/a/p-part-1")).Policy!.MaxProducers);
        Assert.Equal(2, Limits(again, "/a/p-part-1").Producers);
    }

    [Theory]
    [InlineData("""{"topic":"/a/t","retention_ms":-1}""", "retention_ms is -1")]
    [InlineData("""{"topic":"/a/t","max_producers":-2}""", "max_producers is -2")]
    [InlineData("""{"topic":"/a/t","backlog_quota_action":"explode"}""", "must be refuse or drop_oldest")]
    [InlineData("""{"topic":"/a/t","durability":"fsync"}""", "fixed at its creation (memory, 1)")]
    [InlineData("""{"topic":"/a/t","partitions":2}""", "fixed at its creation (memory, 1)")]
    [InlineData("""{"topic":"/a/none","max_producers":1}""", "no topic /a/none")]
    [InlineData("""{"topic":"/a/t","max_prodcers":1}""", "max_prodcers")]
    public async Task A_policy_that_makes_no_sense_is_refused_with_a_sentence(string payload, string sentence)
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.HelloAsync();
        await client.CreateAsync(new TopicSpec { Topic = "/a/t", Durability = "memory" });
        await client.SendAsync(RawClient.RequestFrame(Commands.SetTopicPolicy, System.Text.Encoding.UTF8.GetBytes(payload)));
        ReceivedFrame reply = await client.ReceiveAsync(FrameType.Error);
        Assert.Contains(sentence, reply.Error.Message);
        Assert.Equal(new TopicPolicy(), (await DataPathTests.DescribeAsync(client, "/a/t")).Policy);
    }

    [Fact]
    public async Task A_subscription_policy_that_makes_no_sense_is_refused_with_a_sentence()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.HelloAsync();
        (SubscriptionPolicy Policy, string Sentence)[] cases =
        [
            (new SubscriptionPolicy { AckTimeoutMs = -1 }, "ack_timeout_ms is -1"),
            (new SubscriptionPolicy { MaxRedeliveries = 0 }, "from 1 to 65535"),
            (new SubscriptionPolicy { BackOffMinMs = 10, BackOffMaxMs = 5 }, "must not be above back_off_max_ms"),
            (new SubscriptionPolicy { FailurePolicy = "pray" }, "must be one of retry, dead_letter, drop, block"),
            (new SubscriptionPolicy { DeadLetterTopic = "dead" }, "must be a topic name"),
            (new SubscriptionPolicy { DeadLetterTopic = "/a/t" }, "must be another topic"),
        ];
        foreach ((SubscriptionPolicy policy, string sentence) in cases)
        {
            ErrorPayload refused = await client.RefusedAsync(
                Commands.Subscribe, new SubscribeRequest { Topic = "/a/t", Subscription = "s", Policy = policy }, ControlJson.Default.SubscribeRequest);
            Assert.Equal("bad_request", refused.Code);
            Assert.Contains(sentence, refused.Message);
        }
    }

    [Fact]
    public async Task A_subscription_keeps_its_policy_until_another_is_named()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.HelloAsync();
        var wish = new SubscribeRequest { Topic = "/a/p-part-3", Subscription = "s", ConsumerName = "c", Type = "shared", Durability = "memory" };
        await client.SubscribeAsync(wish with { Policy = new SubscriptionPolicy { FailurePolicy = "dead_letter", MaxRedeliveries = 2 } });
        await client.SubscribeAsync(wish);
        SubscriptionPolicy policy = (await client.DescribeAsync(wish.Topic, "s")).Policy;

        // The partitions of a topic share one dead-letter topic.
        Assert.Equal((2, "dead_letter", "/a/p-dead-letter", 30_000L), (policy.MaxRedeliveries, policy.FailurePolicy, policy.DeadLetterTopic, policy.AckTimeoutMs));
        await client.SubscribeAsync(wish with { Policy = new SubscriptionPolicy { FailurePolicy = "drop" } });
        policy = (await client.DescribeAsync(wish.Topic, "s")).Policy;
        Assert.Equal((5, "drop"), (policy.MaxRedeliveries, policy.FailurePolicy));
    }

    [Fact]
    public async Task A_namespace_holds_so_many_topics_and_partitions_count()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.HelloAsync();
        await client.SetNamespaceAsync(new NamespaceSpec { Namespace = "a", MaxTopics = 3 });
        await client.CreateAsync(new TopicSpec { Topic = "/a/p", Partitions = 2, Durability = "memory" });
        ErrorPayload refused = await client.RefusedAsync(Commands.CreateTopic, new TopicSpec { Topic = "/a/q", Partitions = 2 }, ControlJson.Default.TopicSpec);
        Assert.Equal(("limit_exceeded", true), (refused.Code, refused.Retryable));
        Assert.Contains("max_topics", refused.Message);
        await client.CreateAsync(new TopicSpec { Topic = "/a/t", Durability = "memory" });
        Assert.Equal("limit_exceeded", (await client.RefusedAsync(Commands.CreateProducer, new CreateProducerRequest { Topic = "/a/u", Name = "p" }, ControlJson.Default.CreateProducerRequest)).Code);
        await client.CreateAsync(new TopicSpec { Topic = "/b/t", Durability = "memory" });
        await client.SetNamespaceAsync(new NamespaceSpec { Namespace = "a", MaxTopics = 0 });
        await client.CreateAsync(new TopicSpec { Topic = "/a/u", Durability = "memory" });
    }

    [Fact]
    public async Task Limits_of_a_topic_are_errors_that_say_so_and_can_be_raised_while_it_runs()
    {
        await using TestBroker broker = await TestBroker.StartAsync();
        using RawClient client = await broker.HelloAsync();
        await client.CreateAsync(new TopicSpec { Topic = "/a/t", Durability = "memory", MaxProducers = 1, MaxConsumers = 1, MaxSubscriptions = 1, MaxMessageBytes = 10 });
        CreateProducerReply producer = await client.CreateProducerAsync("/a/t");
        ErrorPayload second = await client.RefusedAsync(Commands.CreateProducer, new CreateProducerRequest { Topic = "/a/t", Name = "q" }, ControlJson.Default.CreateProducerRequest);
        Assert.Equal(("limit_exceeded", true), (second.Code, second.Retryable));
        Assert.Contains("max_producers", second.Message);
        await client.SubscribeAsync("/a/t", type: "shared");
        ErrorPayload consumer = await client.RefusedAsync(
            Commands.Subscribe, new SubscribeRequest { Topic = "/a/t", Subscription = "s", Type = "shared", ConsumerName = "d" }, ControlJson.Default.SubscribeRequest);
        Assert.Contains("max_consumers", consumer.Message);

        await client.SendAsync(Frames.Publish(producer, 1, new byte[11]));
        ErrorPayload large = (await client.ReceiveAsync(FrameType.Error)).Error;
        Assert.Equal(("message_too_large", false, 1ul), (large.Code, large.Retryable, large.Sequence));
        await client.SetPolicyAsync(new TopicSpec { Topic = "/a/t", MaxMessageBytes = 11, MaxConsumers = 2 });
        await client.SendAsync(Frames.Publish(producer, 1, new byte[11]));
        await client.ReceiveAsync(FrameType.PublishAck);
        ErrorPayload subscription = await client.RefusedAsync(Commands.Subscribe, new SubscribeRequest { Topic = "/a/t", Subscription = "z" }, ControlJson.Default.SubscribeRequest);
        Assert.Contains("max_subscriptions", subscription.Message);
        ErrorPayload reader = await client.RefusedAsync(Commands.Subscribe, new SubscribeRequest { Topic = "/a/t", Reader = true }, ControlJson.Default.SubscribeRequest);
        Assert.Contains("max_subscriptions", reader.Message);
        await client.SubscribeAsync("/a/t", type: "shared", consumer: "d");
    }

    [Fact]
    public async Task A_topic_for_dead_letters_is_made_with_the_durability_of_its_source()
    {
        await using TestBroker broker = await TestBroker.StartAsync(o => o with { Topics = o.Topics with { AutoCreate = false } });
        using RawClient client = await broker.HelloAsync();
        await client.CreateAsync(new TopicSpec { Topic = "/a/t", Durability = "os" });
        await client.CreateAsync(new TopicSpec { Topic = "/a/p", Durability = "os", Partitions = 2 });
        Topic source = broker.Host.Topics.Find("/a/t").Value!.Topic!;
        ITopicResolver resolver = source.Options.Topics!;
        Topic made = await resolver.OpenOrCreateAsync("/a/dead", source, default);
        Assert.Same(made, await resolver.OpenOrCreateAsync("/a/dead", source, default));
        Assert.Equal("os", (await DataPathTests.DescribeAsync(client, "/a/dead")).Durability);
        InvalidOperationException e = await Assert.ThrowsAsync<InvalidOperationException>(async () => await resolver.OpenOrCreateAsync("/a/p", source, default));
        Assert.Contains("partitions", e.Message);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await resolver.OpenOrCreateAsync("bad", source, default));
    }

    private static TopicOptions Options(TestBroker broker, string topic) => broker.Host.Topics.Find(topic).Value!.Topic!.Options;

    private static (int Producers, int Consumers, int Subscriptions) Limits(TestBroker broker, string topic) =>
        (Options(broker, topic).MaxProducers, Options(broker, topic).MaxConsumers, Options(broker, topic).MaxSubscriptions);
}
