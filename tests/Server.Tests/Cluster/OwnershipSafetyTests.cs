using System.Text;
using System.Text.Json;
using Danube.Fast.Core;
using Danube.Fast.Protocol;
using Danube.Fast.Server.Cluster;

namespace Danube.Fast.Server.Tests.Cluster;

/// <summary>What an owner must not do: acknowledge without proof, serve other bytes than the topic's, let in who knows a later owner.</summary>
public sealed class OwnershipSafetyTests
{
    private const string Topic = "/default/orders";

    [Fact]
    public async Task A_broker_that_lost_its_session_opens_everything_again_and_keeps_what_is_stored()
    {
        await using var rig = new ClusterRig();
        using RigProducer producer = await rig.ServeAsync(Topic, "fsync");
        await producer.PublishAsync("a");
        ClusterNode node = producer.Broker.Host.Cluster!;
        long session = node.Session;
        await rig.Store.RevokeLeaseAsync(node.Membership.LeaseId);
        Assert.Equal(ErrorCodes.Name(ErrorCode.NotOwner), (await producer.Client.ReceiveAsync(FrameType.Close)).CloseReason.Code);
        Assignment again = await rig.UntilAsync(Topic, a => a.State == AssignmentState.Serving && a.Session > session);
        Assert.Equal(3, again.Epoch);
        await rig.UntilServedAsync(Topic, 1);
        using RigProducer back = await RigProducer.OpenAsync(producer.Broker, Topic);
        Assert.Equal((1ul, 3u), (back.Reply.LastSequence, back.Reply.TopicEpoch));
        Assert.Equal((2ul, 1L), (await back.PublishAsync("b")).PublishAck[0]);
    }

    [Theory]
    [InlineData("memory")]
    [InlineData("fsync")]
    public async Task When_the_proof_runs_out_nothing_is_acknowledged_until_it_comes_back(string durability)
    {
        await using var rig = new ClusterRig();
        using RigProducer producer = await rig.ServeAsync(Topic, durability);
        (RigBroker owner, RawClient client) = (producer.Broker, producer.Client);
        SubscribeReply subscribed = await client.SubscribeAsync(Topic);
        await client.SendAsync(Frames.Credit(subscribed.Channel, 100, 1 << 20, subscribed.SubscriptionEpoch));
        long session = owner.Host.Cluster!.Session;
        owner.Link.IsDeaf = true;
        await ClusterRig.UntilAsync(() => Task.FromResult(!owner.Host.Cluster.IsProven), () => "the proof does not run out");

        await producer.SendAsync("a");
        await ClusterRig.UntilAsync(() => Task.FromResult(owner.Host.Topics.Find(Topic).Value!.Topic!.Log.Durable == 1), () => "it is not stored");

        // Everything that was sent before the answer of a request is there: no acknowledgement, no deliver.
        await client.SendAsync(RawClient.RequestFrame(Commands.Lookup, Encoding.UTF8.GetBytes($$"""{"topic":"{{Topic}}"}"""), "look"));
        ReceivedFrame answer = await client.ReceiveAsync();
        Assert.Equal((FrameType.Error, ErrorCodes.Name(ErrorCode.OwnerUnproven)), (answer.Type, answer.Error.Code));
        await client.RefusedAsync(Commands.CreateProducer, Topic, ErrorCode.OwnerUnproven);

        owner.Link.IsDeaf = false;
        var got = new List<FrameType> { (await client.ReceiveAsync()).Type, (await client.ReceiveAsync()).Type };
        Assert.Equal([FrameType.PublishAck, FrameType.Deliver], got.Order());
        Assert.Equal((session, AssignmentState.Serving), (owner.Host.Cluster.Session, (await rig.ReadAsync(Topic)).State));
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
        await client.MessageAsync();
        owner.Link.IsDeaf = true;
        await ClusterRig.UntilAsync(() => Task.FromResult(!owner.Host.Cluster!.IsProven), () => "the proof does not run out");
        await client.SendRequestAsync(Commands.Ack, $$"""{"channel":{{consumer.GetProperty("channel")}},"offsets":[0]}""");
        Subscription subscription = owner.Host.Topics.Find(Topic).Value!.Topic!.Subscriptions.Single();
        Assert.Equal(0, subscription.MarkDelete);
        owner.Link.IsDeaf = false;
        await ClusterRig.UntilAsync(() => Task.FromResult(subscription.MarkDelete == 1), () => "the acknowledgement does not count");
    }

    [Fact]
    public async Task A_topic_deleted_and_made_again_while_its_broker_is_away_begins_empty_and_the_old_bytes_are_put_aside()
    {
        await using var rig = new ClusterRig();
        using (RigProducer producer = await rig.ServeAsync(Topic, "fsync"))
        {
            await producer.PublishAsync("old");
        }

        long oldId = (await rig.ReadAsync(Topic)).TopicId;
        await rig.StopAsync(1);
        await rig.RemoveAsync(Topic);
        await rig.CreateAsync(Topic, 1, "fsync");
        RigBroker owner = await rig.StartAsync(1);
        await rig.UntilServedAsync(Topic, 1);
        long newId = (await rig.ReadAsync(Topic)).TopicId;
        using RigProducer again = await RigProducer.OpenAsync(owner, Topic);
        Assert.Equal(0ul, again.Reply.LastSequence);
        Assert.Equal((1ul, 0L), (await again.PublishAsync("new")).PublishAck[0]);
        await ClusterRig.UntilAsync(() => Task.FromResult(rig.StoredTopics(1).SequenceEqual([$"{newId}"])), () => $"stored are {string.Join(", ", rig.StoredTopics(1))}");
        Assert.StartsWith($"{oldId}-", Path.GetFileName(Assert.Single(Directory.GetDirectories(Path.Combine(rig.FolderOf(1), "orphans")))), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(100, false)]
    public async Task What_is_stored_must_fit_where_a_topic_is_assigned_from(long startOffset, bool isServed)
    {
        await using var rig = new ClusterRig();
        using (RigProducer producer = await rig.ServeAsync(Topic, "fsync"))
        {
            await producer.PublishAsync("a");
        }

        await rig.StopAsync(1);
        await rig.AssignAsync(Topic, 1, (await rig.ReadAsync(Topic)).TopicId, startOffset);
        RigBroker owner = await rig.StartAsync(1);
        Assignment ended = await rig.UntilAsync(Topic, a => a.State is AssignmentState.Serving or AssignmentState.Failed);
        Assert.Equal(isServed ? AssignmentState.Serving : AssignmentState.Failed, ended.State);
        Assert.Equal(isServed, Directory.Exists(Path.Combine(rig.FolderOf(1), "orphans")));
        if (!isServed)
        {
            Assert.Contains("ends at offset 1, below the offset 100", ended.Reason, StringComparison.Ordinal);
            await rig.UntilSeenAsync(1);
            using RawClient client = await owner.HelloAsync();
            Assert.Contains("records are missing", (await client.RefusedAsync(Commands.CreateProducer, Topic, ErrorCode.TopicWaiting)).Message, StringComparison.Ordinal);
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
        await ClusterRig.UntilAsync(async () => (await client.LookupAsync(Topic)).Result == LookupResults.Waiting, () => "it is not waiting");
        Assert.Contains("is missing", (await client.LookupAsync(Topic)).Message, StringComparison.Ordinal);
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
}
