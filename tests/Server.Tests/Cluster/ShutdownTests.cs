using Danube.Fast.LoadManager;
using Danube.Fast.Metadata;
using Danube.Fast.Server.Cluster;
using Danube.Fast.Server.Topics;

namespace Danube.Fast.Server.Tests.Cluster;

/// <summary>A broker that shuts down, or is to be emptied, beside others.</summary>
public sealed class ShutdownTests
{
    [Fact]
    public async Task A_broker_that_says_that_it_shuts_down_gets_no_topics_and_does_not_lead()
    {
        await using HostedCluster cluster = await HostedCluster.StartAsync(2);
        int leader = await cluster.LeaderAsync();
        int other = 3 - leader;
        long session = cluster.Node(leader).Session;
        await cluster.Node(leader).AnnounceStopAsync();
        for (int i = 0; i < 6; i++)
        {
            Assert.Null((await cluster.CreateAsync(other, $"/default/t{i}")).Refusal);
        }

        await HostedCluster.UntilAsync("all are served", async () => (await cluster.PlacesAsync()).Count(a => a.State == AssignmentState.Serving) == 6);
        Assert.All(await cluster.PlacesAsync(), a => Assert.Equal(other, a.Owner));
        Assert.Equal(other, await cluster.LeaderAsync(leader));
        Assert.Equal(session, cluster.Node(leader).Session);
        Assert.True(cluster.Node(leader).IsProven);
    }

    [Fact]
    public async Task What_lives_in_memory_is_given_up_by_a_broker_that_stops()
    {
        await using HostedCluster cluster = await HostedCluster.StartAsync(2);
        string[] names = [.. Enumerable.Range(0, 8).Select(i => $"/default/{(i < 4 ? "m" : "f")}{i}")];
        foreach (string name in names)
        {
            Assert.Null((await cluster.CreateAsync(1, name, name.Contains('m', StringComparison.Ordinal) ? "memory" : "fsync")).Refusal);
            await cluster.ServedAsync(name, _ => true);
        }

        int leader = await cluster.LeaderAsync();
        int other = 3 - leader;
        Dictionary<string, Assignment> before = [];
        foreach (string name in names)
        {
            before[name] = (await cluster.PlaceAsync(name))!;
        }

        string[] inMemory = [.. names.Where(n => before[n].Owner == leader && n.StartsWith("/default/m", StringComparison.Ordinal))];
        string[] stored = [.. names.Where(n => before[n].Owner == leader && n.StartsWith("/default/f", StringComparison.Ordinal))];
        Assert.NotEmpty(inMemory);
        Assert.NotEmpty(stored);
        await HostedTraffic.PublishAsync(cluster.Host(leader), inMemory[0]);

        // It led, too: when it is gone, nothing of its memory is still with it, and its successor goes on where it ended.
        await cluster.StopAsync(leader);
        foreach (string name in inMemory)
        {
            Assignment left = (await cluster.PlaceAsync(name))!;
            Assert.True(left.Owner == other || left.State == AssignmentState.Released, $"{name} is {left}");
        }

        foreach (string name in inMemory)
        {
            await cluster.ServedAsync(name, a => a.Owner == other && a.Epoch > before[name].Epoch);
        }

        Assert.Equal(1, (await cluster.PlaceAsync(inMemory[0]))!.StartOffset);
        foreach (string name in stored)
        {
            Assert.Equal(before[name], await cluster.PlaceAsync(name));
        }

        // It comes back as any other.
        await cluster.StartBrokerAsync(leader);
        foreach (string name in stored)
        {
            await cluster.ServedAsync(name, a => a.Owner == leader && a.Session > before[name].Session);
        }
    }

    [Fact]
    public async Task A_broker_with_many_stored_topics_is_emptied_a_few_at_a_time_and_memory_first()
    {
        const int Stored = 450, InMemory = 10, AtOnce = 200;
        await using HostedCluster cluster = await HostedCluster.StartAsync(1);

        // Beside it one that is there and gives nothing up. Nobody leads while its topics are made.
        MetadataUpdate joined = await cluster.Store.PutAsync(ClusterKeys.Member(2), new MemberRecord { DataId = "other" }.Encode());
        await cluster.Store.PutAsync(ClusterKeys.Mode(1), new ModeRecord { Mode = BrokerMode.Draining }.Encode());
        await HostedCluster.UntilAsync("nobody leads", async () => await cluster.Store.GetAsync(ClusterKeys.Leader) is null);
        string[] names = [.. Enumerable.Range(0, Stored + InMemory).Select(i => i < Stored ? $"/default/f{i}" : $"/default/zm{i}")];
        foreach (string name in names)
        {
            string durability = name.StartsWith("/default/f", StringComparison.Ordinal) ? "fsync" : "memory";
            MetadataUpdate made = await cluster.Store.PutAsync(ClusterKeys.Topic(name), TopicRecords.Encode(new TopicDefinition { Topic = name, Durability = durability }));
            await cluster.Store.PutAsync(ClusterKeys.Assignment(name), new Assignment { Owner = 2, Session = joined.Revision, Epoch = 1, State = AssignmentState.Serving, TopicId = made.Revision }.Encode());
        }

        TransactionResult begins = await cluster.Store.CommitAsync(new MetadataTransaction()
            .Put(ClusterKeys.Mode(1), new ModeRecord { Mode = BrokerMode.Active }.Encode())
            .Put(ClusterKeys.Mode(2), new ModeRecord { Mode = BrokerMode.Draining }.Encode()));
        var open = new HashSet<string>();
        var asked = new List<string>();
        int most = 0;
        using var guard = new CancellationTokenSource(TimeSpan.FromSeconds(120));
        await foreach (MetadataRevision revision in cluster.Store.WatchAsync(ClusterKeys.Assignments, begins.Revision + 1, guard.Token))
        {
            foreach (MetadataChange change in revision.Changes)
            {
                string topic = ClusterKeys.TopicOfAssignment(change.Key)!;
                if (Assignment.Decode(change.Entry!).State == AssignmentState.Releasing)
                {
                    open.Add(topic);
                    asked.Add(topic);
                }
                else
                {
                    open.Remove(topic);
                }
            }

            most = Math.Max(most, open.Count);
            if (asked.Distinct().Count() == names.Length)
            {
                break;
            }
        }

        Assert.InRange(most, InMemory, AtOnce);
        Assert.All(asked.Take(InMemory), t => Assert.StartsWith("/default/zm", t, StringComparison.Ordinal));
    }
}
