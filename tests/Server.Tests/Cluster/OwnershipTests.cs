using System.Net;
using System.Text;
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
        RedirectPayload redirect = (await RefusedAsync(client, Commands.CreateProducer, Topic, ErrorCode.NotOwner)).Redirect!;
        Assert.Equal((1, first.Address, 2u), (redirect.Broker, redirect.Address, redirect.Epoch));
        Assert.Equal(redirect, (await RefusedAsync(client, Commands.Subscribe, Topic, ErrorCode.NotOwner)).Redirect! with { Revision = redirect.Revision });
        Assert.Equal(redirect, (await RefusedAsync(client, Commands.DescribeTopic, Topic, ErrorCode.NotOwner)).Redirect! with { Revision = redirect.Revision });

        LookupReply found = await LookupAsync(client, Topic);
        Assert.Equal((LookupResults.Connect, 1, first.Address, 2u), (found.Result, found.Broker, found.Address, found.Epoch));
        using RawClient owner = await first.HelloAsync();
        Assert.Equal(found with { Revision = 0 }, await LookupAsync(owner, Topic) with { Revision = 0 });
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
    [InlineData("fsync")]
    [InlineData("os")]
    public async Task A_stored_topic_waits_for_its_broker_and_goes_on_where_it_was(string durability)
    {
        await using var rig = new ClusterRig();
        RigBroker owner = await rig.StartAsync(1), other = await rig.StartAsync(2);
        await rig.CreateAsync(Topic, 1, durability);
        await rig.UntilServedAsync(Topic, 1);
        using (RawClient client = await owner.HelloAsync())
        {
            CreateProducerReply producer = await client.CreateProducerAsync(Topic);
            await client.SendAsync(Frames.Publish(producer, 1, "a"u8.ToArray(), "b"u8.ToArray(), "c"u8.ToArray()));
            Assert.Equal(2u, (await client.ReceiveAsync(FrameType.PublishAck)).PublishAck.TopicEpoch);
        }

        await rig.StopAsync(1);
        await rig.UntilSeenAsync(2);
        using (RawClient client = await other.HelloAsync())
        {
            LookupReply waiting = await LookupAsync(client, Topic);
            Assert.Equal((LookupResults.Waiting, 1), (waiting.Result, waiting.Broker));
            Assert.InRange(DateTimeOffset.FromUnixTimeMilliseconds(waiting.WaitingSince!.Value), DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow);
            Assert.Contains("returns with broker 1", waiting.Message, StringComparison.Ordinal);
            Assert.Contains("--lose-data", waiting.Message, StringComparison.Ordinal);
            RedirectPayload redirect = (await RefusedAsync(client, Commands.CreateProducer, Topic, ErrorCode.TopicWaiting)).Redirect!;
            Assert.Equal((1, "", waiting.WaitingSince), (redirect.Broker, redirect.Address, redirect.WaitingSince));
        }

        owner = await rig.StartAsync(1);
        await rig.UntilServedAsync(Topic, 1);
        using RawClient back = await owner.HelloAsync();
        CreateProducerReply again = await back.CreateProducerAsync(Topic);
        Assert.Equal((3ul, 3u), (again.LastSequence, again.TopicEpoch));
        await back.SendAsync(Frames.Publish(again, 4, "d"u8.ToArray()));
        ReceivedFrame ack = await back.ReceiveAsync(FrameType.PublishAck);
        Assert.Equal((4ul, 3L), ack.PublishAck[0]);
        Assert.Equal(3u, ack.PublishAck.TopicEpoch);
        await rig.UntilSeenAsync(2);
        using RawClient second = await other.HelloAsync();
        Assert.Equal((LookupResults.Connect, owner.Address), (await LookupAsync(second, Topic) is var reply ? (reply.Result, reply.Address) : default));
    }

    [Fact]
    public async Task A_memory_topic_whose_broker_is_gone_starts_empty_elsewhere_under_a_higher_epoch_with_its_subscriptions()
    {
        await using var rig = new ClusterRig();
        RigBroker owner = await rig.StartAsync(1), other = await rig.StartAsync(2);
        await rig.CreateAsync(Topic, 1, "memory");
        await rig.UntilServedAsync(Topic, 1);
        uint subscriptionEpoch;
        using (RawClient client = await owner.HelloAsync())
        {
            CreateProducerReply producer = await client.CreateProducerAsync(Topic);
            subscriptionEpoch = (await client.SubscribeAsync(Topic, "kept")).SubscriptionEpoch;
            await client.SendAsync(Frames.Publish(producer, 1, "a"u8.ToArray()));
            await client.ReceiveAsync(FrameType.PublishAck);
        }

        await rig.StopAsync(1);
        await rig.UntilSeenAsync(2);
        using RawClient second = await other.HelloAsync();
        Assert.Equal(LookupResults.Retry, (await LookupAsync(second, Topic)).Result);
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
        RigBroker owner = await rig.StartAsync(1), other = await rig.StartAsync(2);
        long start = durability == "memory" ? 0 : 40;
        await rig.CreateAsync(Topic, 1, durability, start);
        await rig.UntilServedAsync(Topic, 1);
        using RawClient client = await owner.HelloAsync();
        CreateProducerReply producer = await client.CreateProducerAsync(Topic);
        if (published > 0)
        {
            await client.SendAsync(Frames.Publish(producer, 1, [.. Enumerable.Range(0, published).Select(i => Encoding.UTF8.GetBytes($"m{i}"))]));
            await client.ReceiveAsync(FrameType.PublishAck);
        }

        await rig.RequestReleaseAsync(Topic);
        ReceivedFrame closed = await client.ReceiveAsync(FrameType.Close);
        Assert.Equal((producer.Channel, ErrorCodes.Name(ErrorCode.NotOwner), true), (closed.Close.Channel, closed.CloseReason.Code, closed.CloseReason.Retryable));
        Assignment released = await rig.UntilAsync(Topic, a => a.State == AssignmentState.Released);
        Assert.Equal(start + published, released.StartOffset);
        using (HttpClient http = owner.Http())
        {
            Assert.DoesNotContain((await MetricPage.ReadAsync(http))["danube_producer_create_total"].Samples, s => s.Labels["topic"] == Topic);
        }

        await rig.AssignAsync(Topic, 2, released.TopicId, released.StartOffset);
        await rig.UntilServedAsync(Topic, 2);
        using RawClient second = await other.HelloAsync();
        CreateProducerReply moved = await second.CreateProducerAsync(Topic);
        await second.SendAsync(Frames.Publish(moved, moved.LastSequence + 1, "next"u8.ToArray()));
        ReceivedFrame ack = await second.ReceiveAsync(FrameType.PublishAck);
        Assert.Equal(start + published, ack.PublishAck[0].Offset);
        Assert.True(ack.PublishAck.TopicEpoch > producer.TopicEpoch);
        Assert.Equal([], StoredTopics(rig, 1));
    }

    [Fact]
    public async Task A_topic_with_records_is_not_given_up()
    {
        await using var rig = new ClusterRig();
        RigBroker owner = await rig.StartAsync(1);
        await rig.CreateAsync(Topic, 1, "fsync");
        await rig.UntilServedAsync(Topic, 1);
        using RawClient client = await owner.HelloAsync();
        CreateProducerReply producer = await client.CreateProducerAsync(Topic);
        await client.SendAsync(Frames.Publish(producer, 1, "a"u8.ToArray()));
        await client.ReceiveAsync(FrameType.PublishAck);
        await rig.RequestReleaseAsync(Topic);

        // The request has been seen by the time another topic is served.
        await rig.CreateAsync("/default/later", 1, "memory");
        await rig.UntilServedAsync("/default/later", 1);
        await client.SendAsync(Frames.Publish(producer, 2, "b"u8.ToArray()));
        Assert.Equal((2ul, 1L), (await client.ReceiveAsync(FrameType.PublishAck)).PublishAck[0]);
        Assert.Equal(AssignmentState.Releasing, (await rig.ReadAsync(Topic)).State);
    }

    [Fact]
    public async Task A_broker_that_lost_its_session_opens_everything_again_and_keeps_what_is_stored()
    {
        await using var rig = new ClusterRig();
        RigBroker owner = await rig.StartAsync(1);
        await rig.CreateAsync(Topic, 1, "fsync");
        await rig.UntilServedAsync(Topic, 1);
        using RawClient client = await owner.HelloAsync();
        CreateProducerReply producer = await client.CreateProducerAsync(Topic);
        await client.SendAsync(Frames.Publish(producer, 1, "a"u8.ToArray()));
        await client.ReceiveAsync(FrameType.PublishAck);
        long session = owner.Host.Cluster!.Session;
        await rig.Store.RevokeLeaseAsync(owner.Host.Cluster.Membership.LeaseId);
        Assert.Equal(ErrorCodes.Name(ErrorCode.NotOwner), (await client.ReceiveAsync(FrameType.Close)).CloseReason.Code);
        Assignment again = await rig.UntilAsync(Topic, a => a.State == AssignmentState.Serving && a.Session > session);
        Assert.Equal(3, again.Epoch);
        await rig.UntilServedAsync(Topic, 1);
        CreateProducerReply back = await client.CreateProducerAsync(Topic);
        Assert.Equal((1ul, 3u), (back.LastSequence, back.TopicEpoch));
        await client.SendAsync(Frames.Publish(back, 2, "b"u8.ToArray()));
        Assert.Equal((2ul, 1L), (await client.ReceiveAsync(FrameType.PublishAck)).PublishAck[0]);
    }

    [Theory]
    [InlineData("memory")]
    [InlineData("fsync")]
    public async Task When_the_proof_runs_out_nothing_is_acknowledged_until_it_comes_back(string durability)
    {
        await using var rig = new ClusterRig();
        RigBroker owner = await rig.StartAsync(1);
        await rig.CreateAsync(Topic, 1, durability);
        await rig.UntilServedAsync(Topic, 1);
        using RawClient client = await owner.HelloAsync();
        CreateProducerReply producer = await client.CreateProducerAsync(Topic);
        SubscribeReply subscribed = await client.SubscribeAsync(Topic);
        await client.SendAsync(Frames.Credit(subscribed.Channel, 100, 1 << 20, subscribed.SubscriptionEpoch));
        long session = owner.Host.Cluster!.Session;
        owner.Link.IsDeaf = true;
        await ClusterRig.UntilAsync(() => Task.FromResult(!owner.Host.Cluster.IsProven), () => "the proof does not run out");

        await client.SendAsync(Frames.Publish(producer, 1, "a"u8.ToArray()));
        await ClusterRig.UntilAsync(() => Task.FromResult(owner.Host.Topics.Find(Topic).Value!.Topic!.Log.Durable == 1), () => "it is not stored");

        // Everything that was sent before the answer of a request is there: no acknowledgement, no deliver.
        await client.SendAsync(RawClient.RequestFrame(Commands.Lookup, Encoding.UTF8.GetBytes($$"""{"topic":"{{Topic}}"}"""), "look"));
        ReceivedFrame answer = await client.ReceiveAsync();
        Assert.Equal((FrameType.Error, ErrorCodes.Name(ErrorCode.OwnerUnproven)), (answer.Type, answer.Error.Code));
        await RefusedAsync(client, Commands.CreateProducer, Topic, ErrorCode.OwnerUnproven);

        owner.Link.IsDeaf = false;
        var got = new List<FrameType> { (await client.ReceiveAsync()).Type, (await client.ReceiveAsync()).Type };
        Assert.Equal([FrameType.PublishAck, FrameType.Deliver], got.Order());
        Assert.Equal((session, AssignmentState.Serving), (owner.Host.Cluster.Session, (await rig.ReadAsync(Topic)).State));
    }

    [Fact]
    public async Task A_topic_deleted_and_made_again_while_its_broker_is_away_begins_empty_and_the_old_bytes_are_put_aside()
    {
        await using var rig = new ClusterRig();
        RigBroker owner = await rig.StartAsync(1);
        await rig.CreateAsync(Topic, 1, "fsync");
        await rig.UntilServedAsync(Topic, 1);
        long oldId = (await rig.ReadAsync(Topic)).TopicId;
        using (RawClient client = await owner.HelloAsync())
        {
            CreateProducerReply producer = await client.CreateProducerAsync(Topic);
            await client.SendAsync(Frames.Publish(producer, 1, "old"u8.ToArray()));
            await client.ReceiveAsync(FrameType.PublishAck);
        }

        await rig.StopAsync(1);
        await rig.RemoveAsync(Topic);
        await rig.CreateAsync(Topic, 1, "fsync");
        owner = await rig.StartAsync(1);
        await rig.UntilServedAsync(Topic, 1);
        long newId = (await rig.ReadAsync(Topic)).TopicId;
        using RawClient back = await owner.HelloAsync();
        CreateProducerReply again = await back.CreateProducerAsync(Topic);
        Assert.Equal(0ul, again.LastSequence);
        await back.SendAsync(Frames.Publish(again, 1, "new"u8.ToArray()));
        Assert.Equal((1ul, 0L), (await back.ReceiveAsync(FrameType.PublishAck)).PublishAck[0]);
        Assert.Equal([$"{newId}"], StoredTopics(rig, 1));
        Assert.StartsWith($"{oldId}-", Path.GetFileName(Assert.Single(Directory.GetDirectories(Path.Combine(rig.FolderOf(1), "orphans")))), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(100, false)]
    public async Task What_is_stored_must_fit_where_a_topic_is_assigned_from(long startOffset, bool isServed)
    {
        await using var rig = new ClusterRig();
        RigBroker owner = await rig.StartAsync(1);
        await rig.CreateAsync(Topic, 1, "fsync");
        await rig.UntilServedAsync(Topic, 1);
        using (RawClient client = await owner.HelloAsync())
        {
            CreateProducerReply producer = await client.CreateProducerAsync(Topic);
            await client.SendAsync(Frames.Publish(producer, 1, "a"u8.ToArray()));
            await client.ReceiveAsync(FrameType.PublishAck);
        }

        await rig.StopAsync(1);
        await rig.AssignAsync(Topic, 1, (await rig.ReadAsync(Topic)).TopicId, startOffset);
        owner = await rig.StartAsync(1);
        Assignment ended = await rig.UntilAsync(Topic, a => a.State is AssignmentState.Serving or AssignmentState.Failed);
        Assert.Equal(isServed ? AssignmentState.Serving : AssignmentState.Failed, ended.State);
        Assert.Equal(isServed, Directory.Exists(Path.Combine(rig.FolderOf(1), "orphans")));
        if (!isServed)
        {
            Assert.Contains("ends at offset 1, below the offset 100", ended.Reason, StringComparison.Ordinal);
            await rig.UntilSeenAsync(1);
            using RawClient client = await owner.HelloAsync();
            Assert.Contains("records are missing", (await RefusedAsync(client, Commands.CreateProducer, Topic, ErrorCode.TopicWaiting)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_broker_without_the_bytes_of_its_topic_does_not_serve_it_empty()
    {
        await using var rig = new ClusterRig();
        await rig.StartAsync(1);
        await rig.CreateAsync(Topic, 1, "fsync");
        await rig.UntilServedAsync(Topic, 1);
        long id = (await rig.ReadAsync(Topic)).TopicId;
        await rig.StopAsync(1);
        Directory.Delete(Path.Combine(rig.FolderOf(1), "topics", $"{id}"), recursive: true);
        RigBroker owner = await rig.StartAsync(1);
        using RawClient client = await owner.HelloAsync();
        await ClusterRig.UntilAsync(async () => (await LookupAsync(client, Topic)).Result == LookupResults.Waiting, () => "it is not waiting");
        Assert.Contains("is missing", (await LookupAsync(client, Topic)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_that_knows_a_later_owner_is_not_let_in()
    {
        await using var rig = new ClusterRig();
        RigBroker owner = await rig.StartAsync(1);
        await rig.CreateAsync(Topic, 1, "memory");
        await rig.UntilServedAsync(Topic, 1);
        using RawClient client = await owner.HelloAsync();
        ReceivedFrame refused = await client.RequestAsync(
            Commands.CreateProducer, new CreateProducerRequest { Topic = Topic, Name = "p", TopicEpoch = 9 }, ControlJson.Default.CreateProducerRequest);
        Assert.Equal(ErrorCodes.Name(ErrorCode.NotOwner), refused.Error.Code);
        refused = await client.RequestAsync(
            Commands.Subscribe, new SubscribeRequest { Topic = Topic, Subscription = "s", Type = "exclusive", Start = "earliest", TopicEpoch = 10 }, ControlJson.Default.SubscribeRequest);
        Assert.Equal(ErrorCodes.Name(ErrorCode.NotOwner), refused.Error.Code);

        // The store knows of no later owner: what the client knew was deleted, and it need not ask for ever.
        await ClusterRig.UntilAsync(async () => (refused = await client.RequestAsync(
            Commands.CreateProducer, new CreateProducerRequest { Topic = Topic, Name = "p", TopicEpoch = 9 }, ControlJson.Default.CreateProducerRequest)).Error.Code != ErrorCodes.Name(ErrorCode.NotOwner), () => "it is not answered");
        Assert.Equal(ErrorCodes.Name(ErrorCode.TopicDeleted), refused.Error.Code);
        Assert.Null(refused.Error.Redirect);

        // Who knows no more than this broker is let in.
        Assert.Equal(2u, (await client.CreateProducerAsync(Topic)).TopicEpoch);
    }

    [Fact]
    public async Task An_acknowledgement_in_a_line_waits_for_the_proof()
    {
        await using var rig = new ClusterRig();
        RigBroker owner = await rig.StartAsync(1);
        await rig.CreateAsync(Topic, 1, "memory");
        await rig.UntilServedAsync(Topic, 1);
        using LineClient client = await LineClient.ConnectAsync(owner.Host.NativeEndPoint);
        JsonElement producer = await client.RequestAsync(Commands.CreateProducer, $$"""{"topic":"{{Topic}}"}""");
        JsonElement consumer = await client.RequestAsync(Commands.Subscribe, $$"""{"topic":"{{Topic}}","subscription":"s","type":"exclusive"}""");
        await client.RequestAsync(Commands.Publish, $$"""{"channel":{{producer.GetProperty("channel")}},"messages":[{"payload":"a"}]}""");
        await client.SendRequestAsync(Commands.Credit, $$"""{"channel":{{consumer.GetProperty("channel")}},"records":10}""");
        await client.ReceiveAsync();
        await client.ReceiveAsync();
        owner.Link.IsDeaf = true;
        await ClusterRig.UntilAsync(() => Task.FromResult(!owner.Host.Cluster!.IsProven), () => "the proof does not run out");
        await client.SendRequestAsync(Commands.Ack, $$"""{"channel":{{consumer.GetProperty("channel")}},"offsets":[0]}""");
        Subscription subscription = owner.Host.Topics.Find(Topic).Value!.Topic!.Subscriptions.Single();
        Assert.Equal(0, subscription.MarkDelete);
        owner.Link.IsDeaf = false;
        await ClusterRig.UntilAsync(() => Task.FromResult(subscription.MarkDelete == 1), () => "the acknowledgement does not count");
    }

    [Fact]
    public async Task Dead_letters_reach_their_topic_on_another_broker_each_once()
    {
        const string Letters = "/default/letters";
        await using var rig = new ClusterRig();
        RigBroker owner = await rig.StartAsync(1), other = await rig.StartAsync(2);
        await rig.CreateAsync(Topic, 1, "fsync");
        await rig.CreateAsync(Letters, 2, "fsync");
        await rig.UntilServedAsync(Topic, 1);
        await rig.UntilServedAsync(Letters, 2);
        await rig.UntilSeenAsync(1);
        using RawClient client = await owner.HelloAsync();
        CreateProducerReply producer = await client.CreateProducerAsync(Topic);
        await client.SendAsync(Frames.Publish(producer, 1, "one"u8.ToArray(), "two"u8.ToArray()));
        await client.ReceiveAsync(FrameType.PublishAck);
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

    private static async Task<LookupReply> LookupAsync(RawClient client, string topic) =>
        (await client.RequestAsync(Commands.Lookup, new LookupRequest { Topic = topic }, ControlJson.Default.LookupRequest)).Payload(ControlJson.Default.LookupReply);

    private static async Task<ErrorPayload> RefusedAsync(RawClient client, string command, string topic, ErrorCode code)
    {
        ReceivedFrame frame = command switch
        {
            Commands.CreateProducer => await client.RequestAsync(command, new CreateProducerRequest { Topic = topic, Name = "refused" }, ControlJson.Default.CreateProducerRequest),
            Commands.Subscribe => await client.RequestAsync(
                command, new SubscribeRequest { Topic = topic, Subscription = "s", Type = "exclusive", Start = "earliest" }, ControlJson.Default.SubscribeRequest),
            _ => await client.RequestAsync(command, new TopicRequest { Topic = topic }, ControlJson.Default.TopicRequest),
        };
        Assert.Equal(FrameType.Error, frame.Type);
        Assert.Equal(ErrorCodes.Name(code), frame.Error.Code);
        return frame.Error;
    }

    private static string[] StoredTopics(ClusterRig rig, int broker) =>
        [.. Directory.GetDirectories(Path.Combine(rig.FolderOf(broker), "topics")).Select(d => Path.GetFileName(d)).Where(d => !d.StartsWith("deleted", StringComparison.Ordinal))];
}
