using System.Net;
using System.Text.Json;
using Danube.Fast.Core;
using Danube.Fast.Protocol;
using Danube.Fast.Server.Cluster;

namespace Danube.Fast.Server.Tests.Cluster;

/// <summary>Two brokers over one store: who serves a topic, what the other one says, and what happens when that changes.</summary>
public sealed class OwnershipTests
{
    private const string Topic = "/default/orders";

    [Fact]
    public async Task The_broker_that_does_not_serve_a_topic_says_who_does()
    {
        await using var rig = new ClusterRig();
        RigBroker first = await rig.StartAsync(1), second = await rig.StartAsync(2);
        await rig.CreateAsync(Topic, 1, "memory");
        await rig.UntilServedAsync(Topic, 1);
        await rig.UntilSeenAsync(2);
        using RawClient client = await second.HelloAsync();
        RedirectPayload redirect = (await client.RefusedAsync(Commands.CreateProducer, Topic, ErrorCode.NotOwner)).Redirect!;
        Assert.Equal((1, first.Address, 2u), (redirect.Broker, redirect.Address, redirect.Epoch));
        Assert.Equal(redirect, (await client.RefusedAsync(Commands.Subscribe, Topic, ErrorCode.NotOwner)).Redirect! with { Revision = redirect.Revision });
        Assert.Equal(redirect, (await client.RefusedAsync(Commands.DescribeTopic, Topic, ErrorCode.NotOwner)).Redirect! with { Revision = redirect.Revision });

        LookupReply found = await client.LookupAsync(Topic);
        Assert.Equal((LookupResults.Connect, 1, first.Address, 2u), (found.Result, found.Broker, found.Address, found.Epoch));
        using RawClient owner = await first.HelloAsync();
        Assert.Equal(found with { Revision = 0 }, await owner.LookupAsync(Topic) with { Revision = 0 });
        Assert.Equal(2u, (await owner.CreateProducerAsync(Topic)).TopicEpoch);

        ErrorPayload unknown = (await client.RequestAsync(Commands.Lookup, new LookupRequest { Topic = "/default/none" }, ControlJson.Default.LookupRequest)).Error;
        Assert.Equal(ErrorCodes.Name(ErrorCode.TopicNotFound), unknown.Code);

        using HttpClient http = second.Http();
        using HttpResponseMessage elsewhere = await http.GetAsync("/admin/v1/topics/default/orders");
        Assert.Equal(HttpStatusCode.OK, elsewhere.StatusCode);
        using JsonDocument body = JsonDocument.Parse(await elsewhere.Content.ReadAsStringAsync());
        Assert.Equal("ok", body.RootElement.GetProperty("state").GetString()); // The owner's answer, passed on.
    }

    [Fact]
    public async Task Hello_names_the_brokers_that_are_there()
    {
        await using var rig = new ClusterRig();
        RigBroker first = await rig.StartAsync(1), second = await rig.StartAsync(2);
        await rig.UntilSeenAsync(1);
        using RawClient client = await RawClient.ConnectAsync(first.Host.NativeEndPoint);
        HelloReply hello = await client.HelloAsync();
        Assert.Equal(1, hello.BrokerId);
        Assert.Equal([first.Address, second.Address], hello.Brokers!);
    }

    [Theory]
    [InlineData("danube.broker.1")]
    [InlineData("danube.broker.1.")]
    [InlineData("danube.broker.1.0000000")]
    [InlineData("danube.broker.7.0000000")]
    public async Task A_client_cannot_pass_for_a_broker(string name)
    {
        await using var rig = new ClusterRig();
        RigBroker broker = await rig.StartAsync(1);
        using RawClient client = await RawClient.ConnectAsync(broker.Host.NativeEndPoint);
        await client.SendAsync(RawClient.HelloFrame(new HelloPayload { ClientName = name }));
        ReceivedFrame refused = await client.ReceiveAsync();
        Assert.Equal(FrameType.Error, refused.Type);
        Assert.Contains("for the brokers of this cluster", refused.Error.Message, StringComparison.Ordinal);

        using RawClient other = await RawClient.ConnectAsync(broker.Host.NativeEndPoint);
        await other.HelloAsync(new HelloPayload { ClientName = "danube.brokers" });
        using RawClient peer = await RawClient.ConnectAsync(broker.Host.NativeEndPoint);
        await peer.HelloAsync(new HelloPayload { ClientName = PeerIdentity.NameOf(1, broker.Host.Cluster!.Record) });
    }

    [Theory]
    [InlineData("fsync")]
    [InlineData("os")]
    public async Task A_stored_topic_waits_for_its_broker_and_goes_on_where_it_was(string durability)
    {
        await using var rig = new ClusterRig();
        RigBroker other = await rig.StartAsync(2);
        using (RigProducer producer = await rig.ServeAsync(Topic, durability))
        {
            Assert.Equal(2u, (await producer.PublishAsync("a", "b", "c")).PublishAck.TopicEpoch);
        }

        await rig.StopAsync(1);
        await rig.UntilSeenAsync(2);
        using (RawClient client = await other.HelloAsync())
        {
            LookupReply waiting = await client.LookupAsync(Topic);
            Assert.Equal((LookupResults.Waiting, 1), (waiting.Result, waiting.Broker));
            Assert.InRange(DateTimeOffset.FromUnixTimeMilliseconds(waiting.WaitingSince!.Value), DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow);
            Assert.Contains("returns with broker 1", waiting.Message, StringComparison.Ordinal);
            Assert.Contains($"danube admin topics recreate {Topic} --lose-data", waiting.Message, StringComparison.Ordinal);
            RedirectPayload redirect = (await client.RefusedAsync(Commands.CreateProducer, Topic, ErrorCode.TopicWaiting)).Redirect!;
            Assert.Equal((1, "", waiting.WaitingSince), (redirect.Broker, redirect.Address, redirect.WaitingSince));
        }

        RigBroker owner = await rig.StartAsync(1);
        await rig.UntilServedAsync(Topic, 1);
        using RigProducer back = await RigProducer.OpenAsync(owner, Topic);
        Assert.Equal((3ul, 3u), (back.Reply.LastSequence, back.Reply.TopicEpoch));
        ReceivedFrame ack = await back.PublishAsync("d");
        Assert.Equal((4ul, 3L), ack.PublishAck[0]);
        Assert.Equal(3u, ack.PublishAck.TopicEpoch);
        await rig.UntilSeenAsync(2);
        using RawClient second = await other.HelloAsync();
        Assert.Equal((LookupResults.Connect, owner.Address), (await second.LookupAsync(Topic) is var reply ? (reply.Result, reply.Address) : default));
    }

    [Fact]
    public async Task A_memory_topic_whose_broker_is_gone_starts_empty_elsewhere_under_a_higher_epoch_with_its_subscriptions()
    {
        await using var rig = new ClusterRig();
        RigBroker other = await rig.StartAsync(2);
        uint subscriptionEpoch;
        using (RigProducer producer = await rig.ServeAsync(Topic, "memory"))
        {
            subscriptionEpoch = (await producer.Client.SubscribeAsync(Topic, "kept")).SubscriptionEpoch;
            await producer.PublishAsync("a");
        }

        await rig.StopAsync(1);
        await rig.UntilSeenAsync(2);
        using RawClient second = await other.HelloAsync();
        Assert.Equal(LookupResults.Retry, (await second.LookupAsync(Topic)).Result);
        await rig.AssignAsync(Topic, 2, (await rig.ReadAsync(Topic)).TopicId);
        await rig.UntilServedAsync(Topic, 2);
        TopicInfo info = (await second.RequestAsync(Commands.DescribeTopic, new TopicRequest { Topic = Topic }, ControlJson.Default.TopicRequest)).Payload(ControlJson.Default.TopicInfo);
        Assert.Equal((0L, "kept"), (info.CommittedEnd, Assert.Single(info.Subscriptions).Name));
        CreateProducerReply moved = await second.CreateProducerAsync(Topic);
        Assert.Equal(4u, moved.TopicEpoch);
        SubscribeReply again = await second.SubscribeAsync(Topic, "kept");
        Assert.True(again.SubscriptionEpoch > subscriptionEpoch + 1, $"{again.SubscriptionEpoch} after {subscriptionEpoch}");
        Assert.Equal(4u, again.TopicEpoch);
    }

    [Theory]
    [InlineData("memory", 2)]
    [InlineData("fsync", 0)]
    public async Task A_topic_is_given_up_on_request_and_goes_on_at_the_next_offset_elsewhere(string durability, int published)
    {
        await using var rig = new ClusterRig();
        RigBroker other = await rig.StartAsync(2);
        long start = durability == "memory" ? 0 : 40;
        using RigProducer producer = await rig.ServeAsync(Topic, durability, start);
        if (published > 0)
        {
            await producer.PublishAsync([.. Enumerable.Range(0, published).Select(i => $"m{i}")]);
        }

        await rig.RequestReleaseAsync(Topic);
        ReceivedFrame closed = await producer.Client.ReceiveAsync(FrameType.Close);
        Assert.Equal((producer.Reply.Channel, ErrorCodes.Name(ErrorCode.NotOwner), true), (closed.Close.Channel, closed.CloseReason.Code, closed.CloseReason.Retryable));
        Assignment released = await rig.UntilAsync(Topic, a => a.State == AssignmentState.Released);
        Assert.Equal(start + published, released.StartOffset);
        using (HttpClient http = producer.Broker.Http())
        {
            await ClusterRig.UntilAsync(
                async () => (await MetricPage.ReadAsync(http))["danube_producer_create_total"].Samples.All(s => s.Labels["topic"] != Topic), () => "its series stay");
        }

        await rig.AssignAsync(Topic, 2, released.TopicId, released.StartOffset);
        await rig.UntilServedAsync(Topic, 2);
        using RigProducer moved = await RigProducer.OpenAsync(other, Topic);
        ReceivedFrame ack = await moved.PublishAsync("next");
        Assert.Equal(start + published, ack.PublishAck[0].Offset);
        Assert.True(ack.PublishAck.TopicEpoch > producer.Reply.TopicEpoch);
        await ClusterRig.UntilAsync(() => Task.FromResult(rig.StoredTopics(1).Length == 0), () => "its files stay");
    }

    [Fact]
    public async Task A_topic_with_records_is_not_given_up()
    {
        await using var rig = new ClusterRig();
        using RigProducer producer = await rig.ServeAsync(Topic, "fsync");
        await producer.PublishAsync("a");
        await rig.RequestReleaseAsync(Topic);

        // The request has been seen by the time another topic is served.
        await rig.CreateAsync("/default/later", 1, "memory");
        await rig.UntilServedAsync("/default/later", 1);
        Assert.Equal((2ul, 1L), (await producer.PublishAsync("b")).PublishAck[0]);
        Assert.Equal(AssignmentState.Releasing, (await rig.ReadAsync(Topic)).State);
    }

    [Fact]
    public async Task Dead_letters_reach_their_topic_on_another_broker_each_once()
    {
        const string Letters = "/default/letters";
        await using var rig = new ClusterRig();
        RigBroker owner = await rig.StartAsync(1), other = await rig.StartAsync(2);
        await rig.CreateAsync(Letters, 2, "fsync");
        await rig.UntilServedAsync(Letters, 2);
        using RigProducer producer = await rig.ServeAsync(Topic, "fsync");
        await rig.UntilSeenAsync(1);
        RawClient client = producer.Client;
        await producer.PublishAsync("one", "two");
        SubscribeReply subscribed = (await client.RequestAsync(
            Commands.Subscribe,
            new SubscribeRequest
            {
                Topic = Topic,
                Subscription = "s",
                ConsumerName = "c",
                Type = "shared",
                Start = "earliest",
                Policy = new SubscriptionPolicy { FailurePolicy = "dead_letter", MaxRedeliveries = 1, DeadLetterTopic = Letters, BackOffMinMs = 0, BackOffMaxMs = 1 },
            },
            ControlJson.Default.SubscribeRequest)).Payload(ControlJson.Default.SubscribeReply);
        await client.SendAsync(Frames.Credit(subscribed.Channel, 100, 1 << 20, subscribed.SubscriptionEpoch));
        Topic letters = other.Host.Topics.Find(Letters).Value!.Topic!;

        // Each record twice: delivered, and delivered again.
        for (uint records = 0; records < 4;)
        {
            ReceivedFrame deliver = await client.ReceiveAsync(FrameType.Deliver);
            records += deliver.Deliver.Selected;
            await client.SendAsync(Frames.Nack(subscribed.Channel, deliver.Deliver.SubscriptionEpoch, (deliver.Deliver.FirstOffset, deliver.Deliver.Selected)));
        }

        await ClusterRig.UntilAsync(() => Task.FromResult(letters.Log.Durable >= 2), () => $"{letters.Log.Durable} dead letters have come");
        Subscription subscription = owner.Host.Topics.Find(Topic).Value!.Topic!.Subscriptions.Single();
        await ClusterRig.UntilAsync(() => Task.FromResult(subscription.Backlog == 0), () => "the dead letters are not settled");
        Assert.Equal(2, letters.Log.Committed);

        // The name of the mover stays reserved to brokers.
        Assert.Equal(ErrorCodes.Name(ErrorCode.BadRequest), (await client.RequestAsync(
            Commands.CreateProducer, new CreateProducerRequest { Topic = Topic, Name = ProducerNames.DeadLetter(Topic, "s") }, ControlJson.Default.CreateProducerRequest)).Error.Code);
    }
}
