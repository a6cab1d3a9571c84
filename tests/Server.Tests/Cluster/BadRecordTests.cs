using System.Globalization;
using Danube.Fast.Core;
using Danube.Fast.Metadata;
using Danube.Fast.Protocol;
using Danube.Fast.Server.Cluster;
using Danube.Fast.Server.Topics;

namespace Danube.Fast.Server.Tests.Cluster;

/// <summary>Records that cannot be read, or that are missing: what was acknowledged outlives them.</summary>
public sealed class BadRecordTests
{
    private const string Topic = "/default/kept";

    [Fact]
    public async Task Nothing_that_belongs_to_a_topic_whose_record_cannot_be_read_is_deleted()
    {
        await using HostedCluster cluster = await HostedCluster.StartAsync(2);
        int owner = await StoreAsync(cluster);
        ulong id = cluster.Topics(owner).Find(Topic).Value!.Definition.TopicId;
        MetadataEntry record = (await cluster.Store.GetAsync(ClusterKeys.Topic(Topic)))!;
        await cluster.Store.PutAsync(record.Key, "{"u8.ToArray());

        // The leader has looked at everything by the time a later topic has a broker; the catalogue's chores are done in order.
        Assert.Null((await cluster.CreateAsync(1, "/default/later")).Refusal);
        await CreateAndDeleteAsync(cluster);
        Assert.True(Directory.Exists(FolderOf(cluster, owner, id)));
        Assert.Single((await cluster.Store.ListAsync(ClusterKeys.SubscriptionsOf(id))).Entries);
        Assert.Equal(AssignmentState.Serving, (await cluster.PlaceAsync(Topic))!.State);
        Assert.Equal(1, cluster.Topics(owner).Find(Topic).Value!.Topic!.Log.Committed);

        // It is not taken for a topic that does not exist, nor for one that can be made.
        Assert.Equal(ErrorCode.Unavailable, (await cluster.Topics(3 - owner).Lookup!.FindAsync(Topic, 0, CancellationToken.None)).Refusal!.Code);
        Assert.Equal(ErrorCode.Unavailable, (await cluster.CreateAsync(3 - owner, Topic, "fsync")).Refusal!.Code);
        Assert.Equal(ErrorCode.BadRequest, (await cluster.Node(3 - owner).Admin.RecreateTopicAsync(Topic, CancellationToken.None))!.Code);
        await cluster.Store.PutAsync(record.Key, record.Value);
        await HostedCluster.UntilAsync("it is found again", () => Task.FromResult(cluster.Node(3 - owner).View.TryGetTopic(Topic, out _)));
        Assert.Equal(1, cluster.Topics(owner).Find(Topic).Value!.Topic!.Log.Committed);
    }

    [Fact]
    public async Task The_log_of_a_topic_whose_record_is_lost_is_put_aside()
    {
        await using HostedCluster cluster = await HostedCluster.StartAsync(2);
        int owner = await StoreAsync(cluster);
        ulong id = cluster.Topics(owner).Find(Topic).Value!.Definition.TopicId;

        // As after a restore of the store from a copy that is older than the topic.
        Assert.True((await cluster.Store.CommitAsync(new MetadataTransaction().Delete(ClusterKeys.Topic(Topic)).Delete(ClusterKeys.Assignment(Topic)))).IsDone);
        await HostedCluster.UntilAsync("it is gone", () => Task.FromResult(!Directory.Exists(FolderOf(cluster, owner, id))));
        string aside = Assert.Single(Directory.GetDirectories(Path.Combine(cluster.FolderOf(owner), "orphans")));
        Assert.StartsWith(string.Create(CultureInfo.InvariantCulture, $"{id}-"), Path.GetFileName(aside), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bad_records_do_not_hide_the_others_from_a_broker_that_starts()
    {
        await using HostedCluster cluster = await HostedCluster.StartAsync(1);
        await StoreAsync(cluster);
        await cluster.StopAsync(1);
        foreach (string key in (string[])[$"{ClusterKeys.Namespaces}bad", $"{ClusterKeys.Members}x", $"{ClusterKeys.Modes}x", $"{ClusterKeys.Subscriptions}x", $"{ClusterKeys.Assignments}default/bad"])
        {
            await cluster.Store.PutAsync(key, "null"u8.ToArray());
        }

        await cluster.StartBrokerAsync(1);
        await cluster.ServedAsync(Topic, a => a.Epoch > 2);
        Assert.Null((await cluster.CreateAsync(1, "/default/later")).Refusal);
    }

    [Fact]
    public async Task A_topic_that_was_made_anew_does_not_wait_for_the_session_of_its_former_owner()
    {
        await using HostedCluster cluster = await HostedCluster.StartAsync(2);
        int owner = await StoreAsync(cluster);
        int other = 3 - owner;
        long id = (await cluster.PlaceAsync(Topic))!.TopicId;
        await cluster.StopAsync(owner);
        await HostedCluster.UntilAsync("its key is gone", () => Task.FromResult(cluster.Node(other).View.Members.Count == 1));
        Assert.Null(await cluster.Node(other).Admin.RecreateTopicAsync(Topic, CancellationToken.None));

        // Back at once, under another session than the one that the assignment names.
        await cluster.StartBrokerAsync(owner);
        await cluster.ServedAsync(Topic, a => a.TopicId > id && a.StartOffset == 0);
    }

    [Fact]
    public async Task A_topic_is_not_made_anew_under_the_hands_of_an_owner_that_has_come_back()
    {
        await using HostedCluster cluster = await HostedCluster.StartAsync(2);
        int owner = await StoreAsync(cluster);
        int other = 3 - owner;

        // The other broker's view is behind: it does not show that the owner has come back.
        await cluster.StopAsync(owner);
        await HostedCluster.UntilAsync("its key is gone", () => Task.FromResult(cluster.Node(other).View.Members.Count == 1));
        cluster.WayOf(other).IsBlind = true;
        await cluster.StartBrokerAsync(owner);
        await cluster.ServedAsync(Topic, a => a.Owner == owner && a.Epoch > 2);
        Assert.NotNull(await cluster.Node(other).Admin.RecreateTopicAsync(Topic, CancellationToken.None));
        Assert.Equal(1, cluster.Topics(owner).Find(Topic).Value!.Topic!.Log.Committed);
        cluster.WayOf(other).IsBlind = false;
    }

    /// <summary>A topic with a message and a subscription; its owner.</summary>
    private static async Task<int> StoreAsync(HostedCluster cluster)
    {
        Assert.Null((await cluster.CreateAsync(1, Topic, "fsync")).Refusal);
        await cluster.ServedAsync(Topic, _ => true);
        int owner = (await cluster.PlaceAsync(Topic))!.Owner;
        TopicEntry entry = cluster.Topics(owner).Find(Topic).Value!;
        Topic topic = (await cluster.Topics(owner).OpenAsync(entry, CancellationToken.None)).Value!;
        Assert.Null((await cluster.Topics(owner).OpenSubscriptionAsync(
            entry, topic, new SubscriptionSpec("s", SubscriptionType.Exclusive, StartPosition.Earliest), null, CancellationToken.None)).Refusal);
        await HostedTraffic.PublishAsync(cluster.Host(owner), Topic);
        return owner;
    }

    private static async Task CreateAndDeleteAsync(HostedCluster cluster)
    {
        Assert.Null((await cluster.CreateAsync(1, "/default/short", "fsync")).Refusal);
        Assignment place = (await cluster.PlaceAsync("/default/short"))!;
        string folder = FolderOf(cluster, place.Owner, (ulong)place.TopicId);
        Assert.True(Directory.Exists(folder));
        Assert.Null((await cluster.Topics(1).DeleteAsync("/default/short", CancellationToken.None)).Refusal);
        await HostedCluster.UntilAsync("its data is gone", () => Task.FromResult(!Directory.Exists(folder)));
    }

    private static string FolderOf(HostedCluster cluster, int broker, ulong topicId) =>
        Path.Combine(cluster.FolderOf(broker), "topics", topicId.ToString(CultureInfo.InvariantCulture));
}
