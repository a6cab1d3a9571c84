using System.Net;
using System.Net.Http.Json;
using Danube.Fast.LoadManager;
using Danube.Fast.Metadata;
using Danube.Fast.Protocol;
using Danube.Fast.Server.Cluster;
using Danube.Fast.Server.Topics;

namespace Danube.Fast.Server.Tests.Cluster;

/// <summary>What a leader makes of what it finds, with whole brokers that follow it.</summary>
public sealed class LeaderLoopTests
{
    [Fact]
    public async Task A_thousand_topics_are_spread_within_five_percent()
    {
        await using HostedCluster cluster = await HostedCluster.StartAsync(3);
        Answer<TopicEntry>[] answers = await Task.WhenAll(Enumerable.Range(0, 1000).Select(i => cluster.CreateAsync((i % 3) + 1, $"/default/t{i}")));
        Assert.All(answers, a => Assert.Null(a.Refusal));
        await HostedCluster.UntilAsync("all are served", async () => (await cluster.PlacesAsync()).Count(a => a.State == AssignmentState.Serving) == 1000);
        int[] counts = [.. (await cluster.PlacesAsync()).GroupBy(a => a.Owner).Select(g => g.Count())];
        Assert.Equal(3, counts.Length);
        Assert.InRange(counts.Min(), 317, 350);
        Assert.InRange(counts.Max(), 317, 350);
    }

    [Fact]
    public async Task What_a_topic_or_its_namespace_requires_decides_where_it_goes()
    {
        await using HostedCluster cluster = await HostedCluster.StartAsync(2);
        Assert.Null((await cluster.Topics(1).SetNamespaceAsync(new NamespaceSpec { Namespace = "big", EstimatedSizeGb = 1e9 }, isWhole: false, CancellationToken.None)).Refusal);
        int leader = await cluster.LeaderAsync();

        // From the first reports on, which tell how much disk is free: no broker has room for that, so the requirement is dropped, and said so.
        int made = 0;
        await HostedCluster.UntilAsync("requirements are looked at", async () =>
        {
            string topic = $"/big/t{++made}";
            Assert.Null((await cluster.CreateAsync(2, topic)).Refusal);
            return cluster.Node(leader).Load.Placement.Decisions.Find(topic)?.Steps.Any(s => s.Contains("requirements are dropped", StringComparison.Ordinal)) == true;
        });
        Answer<TopicEntry> own = await cluster.Topics(1).CreateAsync(
            new TopicSpec { Topic = "/default/own", Durability = "memory", EstimatedThroughputMbps = -1 }, CancellationToken.None);
        Assert.Equal(ErrorCode.BadRequest, own.Refusal?.Code);
    }

    [Fact]
    public async Task The_topics_of_a_vanished_broker_are_handed_on_when_nobody_needs_its_disk()
    {
        await using HostedCluster cluster = await HostedCluster.StartAsync(2);
        foreach (string name in (string[])["m0", "m1", "m2", "m3", "f0", "f1", "f2", "f3"])
        {
            Assert.Null((await cluster.CreateAsync(1, $"/default/{name}", name[0] == 'f' ? "fsync" : "memory")).Refusal);
        }

        // The leader too: its successor does it.
        int victim = await cluster.LeaderAsync();
        int other = 3 - victim;
        string[] lost = [.. cluster.Node(other).View.Assignments.Where(a => a.A.Owner == victim).Select(a => a.Topic)];
        Assert.Contains(lost, t => t.StartsWith("/default/m", StringComparison.Ordinal));
        Assert.Contains(lost, t => t.StartsWith("/default/f", StringComparison.Ordinal));
        cluster.WayOf(victim).Cut();
        foreach (string topic in lost.Where(t => t.StartsWith("/default/m", StringComparison.Ordinal)))
        {
            await cluster.ServedAsync(topic, a => a.Owner == other && a.Epoch > 2);
        }

        // It hears of no other leader, and still does not say that it leads.
        Assert.False(cluster.Node(victim).IsProven);
        Assert.False(cluster.Host(victim).Load.Source.IsLeader);
        Assert.Null(cluster.Host(victim).Load.Source.LeadsSince);
        foreach (string topic in lost.Where(t => t.StartsWith("/default/f", StringComparison.Ordinal)))
        {
            Assert.Equal((victim, AssignmentState.Serving), await cluster.PlaceAsync(topic) is { } place ? (place.Owner, place.State) : default);
        }

        // Its owner comes back under another session and opens them again.
        long before = cluster.Node(victim).Session;
        cluster.WayOf(victim).Mend();
        foreach (string topic in lost.Where(t => t.StartsWith("/default/f", StringComparison.Ordinal)))
        {
            await cluster.ServedAsync(topic, a => a.Owner == victim && a.Session > before && a.Epoch > 2);
        }

        // Only the leader's account of the assignments is kept.
        await HostedCluster.UntilAsync("the others count by the reports", () => Task.FromResult(
            cluster.Ids.Any(id => cluster.Node(id).IsLeader)
            && cluster.Ids.All(id => cluster.Node(id).IsLeader == (cluster.Node(id).Load.Ranking().AssignmentsRevision != 0))));
    }

    [Fact]
    public async Task A_deleted_topic_leaves_nothing_and_its_name_can_be_used_again()
    {
        await using HostedCluster cluster = await HostedCluster.StartAsync(2);
        Assert.Null((await cluster.CreateAsync(1, "/default/t", "fsync", partitions: 3)).Refusal);
        string part = "/default/t-part-1";
        await cluster.ServedAsync(part, _ => true);
        int owner = (await cluster.PlaceAsync(part))!.Owner;
        TopicEntry entry = cluster.Topics(owner).Find(part).Value!;
        Core.Topic topic = (await cluster.Topics(owner).OpenAsync(entry, CancellationToken.None)).Value!;
        Assert.Null((await cluster.Topics(owner).OpenSubscriptionAsync(
            entry, topic, new Core.SubscriptionSpec("s", Core.SubscriptionType.Exclusive, Core.StartPosition.Earliest), null, CancellationToken.None)).Refusal);
        string folder = Path.Combine(cluster.FolderOf(owner), "topics", entry.Definition.TopicId.ToString(System.Globalization.CultureInfo.InvariantCulture));
        Assert.True(Directory.Exists(folder));
        Assert.NotEmpty((await cluster.Store.ListAsync(ClusterKeys.Subscriptions)).Entries);

        Assert.Null((await cluster.Topics(3 - owner).DeleteAsync("/default/t", CancellationToken.None)).Refusal);
        await HostedCluster.UntilAsync("no record is left", async () =>
            (await cluster.Store.ListAsync(ClusterKeys.Topics)).Entries.Count == 0 && (await cluster.PlacesAsync()).Count == 0
            && (await cluster.Store.ListAsync(ClusterKeys.Subscriptions)).Entries.Count == 0);
        await HostedCluster.UntilAsync("the data is gone", () => Task.FromResult(!Directory.Exists(folder)));
        Assert.Equal(ErrorCode.TopicNotFound, cluster.Topics(owner).Find("/default/t").Refusal!.Code);
        Assert.Null((await cluster.CreateAsync(2, "/default/t", "fsync")).Refusal);
        Assert.Empty(cluster.Topics((await cluster.PlaceAsync("/default/t"))!.Owner).Find("/default/t").Value!.Subscriptions);
    }

    [Fact]
    public async Task A_creation_that_was_left_half_way_is_finished()
    {
        await using HostedCluster cluster = await HostedCluster.StartAsync(2);
        var left = new TopicDefinition { Topic = "/default/half", Durability = "memory", Partitions = 100, State = TopicState.Creating };
        TransactionResult made = await cluster.Store.CommitAsync(new MetadataTransaction().IfAbsent("/topics/default/half").Put("/topics/default/half", TopicRecords.Encode(left)));
        Assert.True(made.IsDone);

        // A leader that was quick has finished it by now.
        Assert.Contains((await cluster.CreateAsync(1, "/default/half")).Refusal!.Code, new[] { ErrorCode.Unavailable, ErrorCode.TopicExists });
        await HostedCluster.UntilAsync("it is ready", () => Task.FromResult(cluster.Topics(2).Find("/default/half").Refusal is null));
        await HostedCluster.UntilAsync("its partitions are served", async () => (await cluster.PlacesAsync()).Count(a => a.State == AssignmentState.Serving) == 100);
        int[] counts = [.. (await cluster.PlacesAsync()).GroupBy(a => a.Owner).Select(g => g.Count())];
        Assert.Equal([50, 50], counts);
    }

    [Fact]
    public async Task One_record_that_is_always_refused_holds_up_nobody_else()
    {
        await using HostedCluster cluster = await HostedCluster.StartAsync(1);
        cluster.WayOf(1).RefusedKey = ClusterKeys.Assignment("/default/t7");
        Task<Answer<TopicEntry>>[] creating = [.. Enumerable.Range(0, 20).Select(i => cluster.CreateAsync(1, $"/default/t{i}"))];
        await HostedCluster.UntilAsync("the others are served", async () => (await cluster.PlacesAsync()).Count(a => a.State == AssignmentState.Serving) == 19);
        Assert.Null(await cluster.PlaceAsync("/default/t7"));
        cluster.WayOf(1).RefusedKey = null;
        await cluster.ServedAsync("/default/t7", _ => true);
        Assert.All(await Task.WhenAll(creating), a => Assert.Null(a.Refusal));
    }

    [Fact]
    public async Task A_leader_that_dies_between_creations_leaves_none_undone()
    {
        await using HostedCluster cluster = await HostedCluster.StartAsync(3);
        int leader = await cluster.LeaderAsync();
        int[] others = [.. cluster.Ids.Where(b => b != leader)];
        Task<Answer<TopicEntry>>[] creating = [.. Enumerable.Range(0, 300).Select(i => cluster.CreateAsync(others[i % 2], $"/default/t{i}"))];
        await HostedCluster.UntilAsync("some are assigned", async () => (await cluster.PlacesAsync()).Count > 20);
        cluster.WayOf(leader).Cut();
        Assert.NotEqual(leader, await cluster.LeaderAsync(leader));
        await Task.WhenAll(creating);
        await HostedCluster.UntilAsync("all are served by those that are there", async () =>
            (await cluster.PlacesAsync()).Count(a => a.State == AssignmentState.Serving && a.Owner != leader) == 300);
    }

    [Fact]
    public async Task A_draining_broker_gives_up_what_others_can_serve_and_keeps_what_only_it_has()
    {
        await using HostedCluster cluster = await HostedCluster.StartAsync(2);
        int leader = await cluster.LeaderAsync();
        int other = 3 - leader;
        foreach (string name in (string[])["m0", "m1", "m2", "m3", "f0", "f1", "f2", "f3"])
        {
            Assert.Null((await cluster.CreateAsync(1, $"/default/{name}", name[0] == 'f' ? "fsync" : "memory")).Refusal);
        }

        string full = cluster.Node(other).View.Assignments.First(a => a.A.Owner == leader && a.Topic.StartsWith("/default/f", StringComparison.Ordinal)).Topic;
        TopicEntry entry = cluster.Topics(leader).Find(full).Value!;
        await HostedTraffic.PublishAsync(cluster.Host(leader), full);
        Core.Topic topic = (await cluster.Topics(leader).OpenAsync(entry, CancellationToken.None)).Value!;
        Assert.Equal(1, topic.Log.Committed);

        Assert.Null(await cluster.Node(other).Admin.UnloadAsync(leader, CancellationToken.None));
        Assert.Equal(other, await cluster.LeaderAsync(leader));
        await HostedCluster.UntilAsync("only one topic stays", () => Task.FromResult(cluster.Node(other).Admin.TopicsOf(leader).Count() == 1));
        Assert.Equal(full, Assert.Single(cluster.Node(other).Admin.TopicsOf(leader)).Topic);
        Assert.Equal(BrokerMode.Draining, cluster.Node(other).View.ModeOf(leader));
        Assert.Null((await cluster.CreateAsync(leader, "/default/new")).Refusal);
        Assert.Equal(other, (await cluster.PlaceAsync("/default/new"))!.Owner);

        // Without that topic nothing is left.
        Assert.Null((await cluster.Topics(other).DeleteAsync(full, CancellationToken.None)).Refusal);
        await HostedCluster.UntilAsync("it is drained", () => Task.FromResult(cluster.Node(other).View.ModeOf(leader) == BrokerMode.Drained));
        Assert.NotNull(await cluster.Node(other).Admin.RemoveBrokerAsync(leader, CancellationToken.None));
        Assert.Null(await cluster.Node(leader).Admin.ActivateAsync(leader, CancellationToken.None));
        await HostedCluster.UntilAsync("it takes topics again", async () =>
        {
            string name = $"/default/again{Guid.NewGuid():n}";
            return (await cluster.CreateAsync(1, name)).Refusal is null && (await cluster.PlaceAsync(name))!.Owner == leader;
        });
        Assert.Contains("knows no broker 9", (await cluster.Node(1).Admin.UnloadAsync(9, CancellationToken.None))!.Message);
    }

    [Fact]
    public async Task A_topic_that_waits_for_a_lost_broker_can_be_made_anew()
    {
        await using HostedCluster cluster = await HostedCluster.StartAsync(2);

        // Until its first load report a broker gets nothing.
        await HostedCluster.UntilAsync("broker 2 has a topic", async () =>
        {
            await cluster.CreateAsync(1, $"/default/f{Guid.NewGuid():n}", "fsync");
            return cluster.Node(1).View.Assignments.Any(a => a.A.Owner == 2);
        });

        string topic = cluster.Node(1).View.Assignments.First(a => a.A.Owner == 2).Topic;
        await cluster.ServedAsync(topic, a => a.Owner == 2);
        Assert.NotNull(await cluster.Node(1).Admin.RecreateTopicAsync(topic, CancellationToken.None));
        await HostedTraffic.PublishAsync(cluster.Host(2), topic);
        await cluster.StopAsync(2);
        await HostedCluster.UntilAsync("its key is gone", () => Task.FromResult(cluster.Node(1).View.Members.Count == 1));
        Assert.NotNull(await cluster.Node(1).Admin.RemoveBrokerAsync(2, CancellationToken.None));
        long id = (await cluster.PlaceAsync(topic))!.TopicId;

        // As an operator does it: over HTTP at a broker that is there, and not by accident.
        using var http = new HttpClient { BaseAddress = new Uri($"http://{cluster.Host(1).HttpEndPoint}"), Timeout = TimeSpan.FromSeconds(100) };
        using (HttpResponseMessage unsure = await http.PostAsJsonAsync($"/admin/v1/topics{topic}/recreate", new { }))
        {
            Assert.Equal(HttpStatusCode.BadRequest, unsure.StatusCode);
            Assert.Contains("lose_data", await unsure.Content.ReadAsStringAsync());
        }

        using HttpResponseMessage recreated = await http.PostAsJsonAsync($"/admin/v1/topics{topic}/recreate", new { lose_data = true });
        Assert.True(recreated.IsSuccessStatusCode, await recreated.Content.ReadAsStringAsync());
        await cluster.ServedAsync(topic, a => a.Owner == 1 && a.TopicId > id && a.StartOffset == 0);
        Assert.Empty((await cluster.Store.ListAsync(ClusterKeys.Remakes)).Entries);
    }

    [Fact]
    public async Task A_policy_that_one_broker_writes_holds_at_the_owner()
    {
        await using HostedCluster cluster = await HostedCluster.StartAsync(2);
        Assert.Null((await cluster.CreateAsync(1, "/default/t")).Refusal);
        await cluster.ServedAsync("/default/t", _ => true);
        int owner = (await cluster.PlaceAsync("/default/t"))!.Owner;
        Assert.Null((await cluster.Topics(3 - owner).SetPolicyAsync("/default/t", new TopicPolicy { MaxProducers = 3 }, isWhole: false, CancellationToken.None)).Refusal);
        Assert.Null((await cluster.Topics(3 - owner).SetNamespaceAsync(new NamespaceSpec { Namespace = "default", MaxConsumers = 4 }, isWhole: false, CancellationToken.None)).Refusal);
        Core.Topic topic = (await cluster.Topics(owner).OpenAsync(cluster.Topics(owner).Find("/default/t").Value!, CancellationToken.None)).Value!;
        await HostedCluster.UntilAsync("the policy holds", () => Task.FromResult(topic.Options is { MaxProducers: 3, MaxConsumers: 4 }));
        Answer<TopicEntry>[] both = await Task.WhenAll(
            cluster.Topics(1).SetPolicyAsync("/default/t", new TopicPolicy { MaxProducers = 5 }, isWhole: false, CancellationToken.None),
            cluster.Topics(2).SetPolicyAsync("/default/t", new TopicPolicy { MaxConsumers = 6 }, isWhole: false, CancellationToken.None));
        Assert.All(both, a => Assert.Null(a.Refusal));
        await HostedCluster.UntilAsync("neither change is lost", () => Task.FromResult(topic.Options is { MaxProducers: 5, MaxConsumers: 6 }));
    }
}
