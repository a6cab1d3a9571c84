using System.Text.Json;
using Danube.Fast.Metadata;
using Danube.Fast.Protocol;
using Danube.Fast.Server.Cluster;
using Danube.Fast.Server.Topics;

namespace Danube.Fast.Server.Tests.Cluster;

/// <summary>What a creation of a topic answers while nobody serves the topic, and what another one of it does. Nobody leads: topics go where the test says.</summary>
public sealed class CreationTests
{
    private const string Topic = "/default/t";

    [Fact]
    public async Task Creations_of_one_connection_are_under_way_together_and_what_follows_waits_for_them()
    {
        await using var rig = new ClusterRig();
        RigBroker broker = await rig.StartAsync(1, o => Waits(o, TimeSpan.FromMinutes(10)));
        using RawClient client = await broker.HelloAsync();
        await client.SendAsync(Create("/default/a", "first"));
        await client.SendAsync(Create("/default/b", "second"));
        await ClusterRig.UntilAsync(async () => (await rig.Store.ListAsync(ClusterKeys.Topics)).Entries.Count == 2, () => "two topics are recorded");
        await AssignAsync(rig, "/default/b", 1);
        Assert.Equal("second", (await client.ReceiveAsync()).Envelope.CorrelationId);
        await client.SendAsync(RawClient.RequestFrame(Commands.DescribeTopic, JsonSerializer.SerializeToUtf8Bytes(new TopicRequest { Topic = "/default/a" }, ControlJson.Default.TopicRequest), "behind"));
        await AssignAsync(rig, "/default/a", 1);
        Assert.Equal("first", (await client.ReceiveAsync()).Envelope.CorrelationId);
        ReceivedFrame described = await client.ReceiveAsync();
        Assert.Equal("behind", described.Envelope.CorrelationId);

        // The record may say that it is served a moment before its owner lets anybody in.
        if (described.Envelope.Payload is null)
        {
            Assert.NotEqual(ErrorCodes.Name(ErrorCode.TopicNotFound), described.Error.Code);
        }
    }

    [Fact]
    public async Task Of_a_topic_that_nobody_serves_yet_every_creation_with_its_settings_waits_for_the_same()
    {
        await using var rig = new ClusterRig();
        RigBroker one = await rig.StartAsync(1, o => Waits(o, TimeSpan.FromMinutes(10)));
        RigBroker two = await rig.StartAsync(2, o => Waits(o, TimeSpan.FromMinutes(10)));
        Task<Answer<TopicEntry>> first = CreateAsync(one, 5);
        await ClusterRig.UntilAsync(async () => (await rig.Store.ListAsync(ClusterKeys.Topics)).Entries.Count == 1, () => "it is recorded");
        Task<Answer<TopicEntry>>[] again = [CreateAsync(one, 5), CreateAsync(two, 5)];
        Assert.Equal(ErrorCode.TopicExists, (await CreateAsync(two, 6)).Refusal!.Code);
        await AssignAsync(rig, Topic, 2);
        foreach (Answer<TopicEntry> answer in await Task.WhenAll([first, .. again]))
        {
            Assert.Null(answer.Refusal);
        }

        await rig.UntilServedAsync(Topic, 2);
        await rig.UntilSeenAsync(1);
        Assert.Equal(ErrorCode.TopicExists, (await CreateAsync(one, 5)).Refusal!.Code);
        Assert.Equal(ErrorCode.TopicExists, (await CreateAsync(two, 5)).Refusal!.Code);
    }

    [Fact]
    public async Task A_creation_that_nobody_serves_in_time_has_made_the_topic_and_says_what_is_missing()
    {
        await using var rig = new ClusterRig();
        RigBroker broker = await rig.StartAsync(1, o => Waits(o, TimeSpan.FromMilliseconds(50)));
        using RawClient client = await broker.HelloAsync();
        for (int attempt = 0; attempt < 2; attempt++)
        {
            await client.SendAsync(Create(Topic, "c"));
            TopicInfo made = (await client.ReceiveAsync()).Payload(ControlJson.Default.TopicInfo);
            Assert.Equal((Topic, "not_owner"), (made.Topic, made.State));
            Assert.Contains("no broker serves it yet", made.Failure, StringComparison.Ordinal);
        }

        using HttpClient http = broker.Http();
        using HttpResponseMessage over = await http.PostAsync(
            "/admin/v1/topics", new StringContent($$"""{"topic":"{{Topic}}","durability":"memory"}""", System.Text.Encoding.UTF8, "application/json"));
        Assert.Equal(System.Net.HttpStatusCode.Created, over.StatusCode);
        Assert.Contains("no broker serves it yet", await over.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_topic_that_is_being_handed_on_is_not_created_again()
    {
        await using var rig = new ClusterRig();
        RigBroker broker = await rig.StartAsync(1, o => Waits(o, TimeSpan.FromMilliseconds(50)));
        Assert.Null((await CreateAsync(broker, 5)).Refusal);
        await AssignAsync(rig, Topic, 1);
        await rig.UntilAsync(Topic, a => a.State == AssignmentState.Serving);

        // To a broker that does not open it.
        await AssignAsync(rig, Topic, 2);
        await rig.UntilSeenAsync(1);
        Assert.Equal((AssignmentState.Assigned, 3), ((await rig.ReadAsync(Topic)).State, (await rig.ReadAsync(Topic)).Epoch));
        Assert.Equal(ErrorCode.TopicExists, (await CreateAsync(broker, 5)).Refusal!.Code);
    }

    [Theory]
    [InlineData(10, 0, 1, 10)]
    [InlineData(1000, 10, 1, 10)]
    [InlineData(10, 0, 2, 6)]
    [InlineData(1000, 10, 3, 9)]
    public async Task Creations_that_run_together_keep_to_the_limits(int limit, int namespaceLimit, int partitions, int made)
    {
        await using var rig = new ClusterRig();
        RigBroker broker = await rig.StartAsync(1, o => Waits(o, TimeSpan.FromMilliseconds(50)) with { Limits = o.Limits with { MaxTopics = limit } });
        using RawClient client = await broker.HelloAsync();
        await client.SetNamespaceAsync(new NamespaceSpec { Namespace = "default", MaxTopics = namespaceLimit });
        const int Asked = 100;
        for (int i = 0; i < Asked; i++)
        {
            await client.SendAsync(Create($"/default/t{i}", "c", partitions));
        }

        int created = 0;
        for (int i = 0; i < Asked; i++)
        {
            ReceivedFrame frame = await client.ReceiveAsync();
            created += frame.Type == FrameType.Response ? 1 : 0;
            Assert.True(frame.Type == FrameType.Response || frame.Error.Code == "limit_exceeded");
        }

        Assert.Equal(made, created * partitions);
        int bases = partitions == 1 ? 0 : created;
        Assert.Equal(made + bases, (await rig.Store.ListAsync(ClusterKeys.Topics)).Entries.Count);

        // Where one is deleted another one has room.
        if (partitions == 1)
        {
            MetadataEntry last = (await rig.Store.ListAsync(ClusterKeys.Topics)).Entries[^1];
            await rig.Store.DeleteAsync(last.Key);
            await rig.UntilSeenAsync(1);
            Assert.Null((await CreateAsync(broker, 5)).Refusal);
            Assert.Equal(ErrorCode.LimitExceeded, (await broker.Host.Topics.CreateAsync(new TopicSpec { Topic = "/default/u" }, CancellationToken.None)).Refusal!.Code);
        }
    }

    [Theory]
    [InlineData(1, 10)]
    [InlineData(3, 9)]
    public async Task Brokers_that_create_at_once_keep_to_the_limit_of_a_namespace_together(int partitions, int made)
    {
        await using var rig = new ClusterRig();
        RigBroker[] brokers = [await rig.StartAsync(1, o => Waits(o, TimeSpan.FromMilliseconds(50))), await rig.StartAsync(2, o => Waits(o, TimeSpan.FromMilliseconds(50)))];
        using (RawClient client = await brokers[0].HelloAsync())
        {
            await client.SetNamespaceAsync(new NamespaceSpec { Namespace = "default", MaxTopics = 10 });
        }

        await rig.UntilSeenAsync(1);
        await rig.UntilSeenAsync(2);

        // Both have counted when the first of them writes.
        var gate = new TaskCompletionSource();
        int[] before = [.. brokers.Select(b => b.Link.Commits)];
        foreach (RigBroker broker in brokers)
        {
            broker.Link.Hold = gate.Task;
        }

        Task<Answer<TopicEntry>>[] creating =
        [
            .. Enumerable.Range(0, 40).Select(i => brokers[i % 2].Host.Topics.CreateAsync(
                new TopicSpec { Topic = $"/default/t{i}", Durability = "memory", Partitions = partitions }, CancellationToken.None)),
        ];
        try
        {
            await ClusterRig.UntilAsync(() => Task.FromResult(brokers.Zip(before).All(b => b.First.Link.Commits > b.Second)), () => "both write");
        }
        finally
        {
            gate.SetResult();
        }

        Answer<TopicEntry>[] answers = await Task.WhenAll(creating);
        Assert.Equal(made, answers.Count(a => a.Refusal is null) * partitions);
        Assert.All(answers.Where(a => a.Refusal is not null), a => Assert.Equal(ErrorCode.LimitExceeded, a.Refusal!.Code));
        Assert.Equal(made, (await rig.Store.ListAsync(ClusterKeys.Topics)).Entries.Select(TopicRecords.Decode).Count(t => !t.IsBase));

        // Each of them may make the next one where one has gone.
        if (partitions == 1)
        {
            await rig.Store.DeleteAsync((await rig.Store.ListAsync(ClusterKeys.Topics)).Entries[0].Key);
            await rig.UntilSeenAsync(2);
            Assert.Null((await brokers[1].Host.Topics.CreateAsync(new TopicSpec { Topic = "/default/last", Durability = "memory" }, CancellationToken.None)).Refusal);
        }
    }

    private static BrokerOptions Waits(BrokerOptions options, TimeSpan limit) => options with { Cluster = options.Cluster with { FollowLimit = limit } };

    private static Task<Answer<TopicEntry>> CreateAsync(RigBroker broker, int maxProducers) =>
        broker.Host.Topics.CreateAsync(new TopicSpec { Topic = Topic, Durability = "memory", MaxProducers = maxProducers }, CancellationToken.None);

    private static byte[] Create(string topic, string correlation, int? partitions = null) => RawClient.RequestFrame(
        Commands.CreateTopic, JsonSerializer.SerializeToUtf8Bytes(new TopicSpec { Topic = topic, Durability = "memory", Partitions = partitions }, ControlJson.Default.TopicSpec), correlation);

    private static async Task AssignAsync(ClusterRig rig, string topic, int broker)
    {
        MetadataEntry entry = (await rig.Store.GetAsync(ClusterKeys.Topic(topic)))!;
        await rig.AssignAsync(topic, broker, (long)TopicRecords.Decode(entry).TopicId);
    }
}
