using Danube.Fast.Client;
using Danube.Fast.Harness;
using Danube.Fast.Protocol;

namespace Danube.Fast.EndToEnd.Tests.Cluster;

/// <summary>Brokers that freeze, die and come back under traffic: nothing acknowledged on <c>os</c> or <c>fsync</c> is lost, and never do two brokers acknowledge.</summary>
public sealed partial class ClusterFaultTests
{
    /// <summary>Seconds, and whether it is the leader: what the normal run tries, and the long one.</summary>
    public static TheoryData<int, bool> Freezes => LongMode.IsOn
        ? new() { { 15, false }, { 40, false }, { 15, true }, { 40, true } }
        : new() { { 25, false } };

    // Topics come, go and move meanwhile: in every second round another broker than the one that dies is being drained.
    [Fact(Timeout = 7_200_000)]
    public Task Brokers_that_die_and_come_back_within_two_seconds_lose_nothing() => RunAsync("killed and started again, topics on the move", async (cluster, load) =>
    {
        var random = new Random(7);
        int rounds = int.TryParse(Environment.GetEnvironmentVariable("DANUBE_KILL_ROUNDS"), out int wanted) ? wanted : LongMode.Pick(4, 200), owners = 0, leaders = 0, drains = 0;
        await using TopicChurn churn = await TopicChurn.StartAsync(cluster);
        for (int round = 0; round < rounds; round++)
        {
            int broker = 1 + (round % 3), drained = 1 + ((round + 1) % 3);
            if (round % 2 == 1)
            {
                await cluster.UnloadAsync(drained);
                drains++;
            }

            Dictionary<string, TopicPlace> places = await cluster.PlacesAsync();
            owners += load.Topics.Any(t => t.Durability != "memory" && places[t.Name].Owner == broker) ? 1 : 0;
            leaders += await cluster.LeaderAsync() == broker ? 1 : 0;
            await cluster.KillAsync(broker);
            await Task.Delay(random.Next(0, 1500));
            await cluster.StartBrokerAsync(broker);
            await load.GoesOnAsync();
            if (round % 2 == 1)
            {
                await cluster.ActivateAsync(drained);
            }
        }

        Assert.True(owners > 0);
        (int created, int deleted) = await churn.StopAsync(cluster);
        load.Note($"{rounds} kills, {owners} of them of an owner of stored topics, {leaders} of the leader; {drains} drains; {created} topics created and {deleted} deleted meanwhile");
    });

    [Fact(Timeout = 600_000)]
    public Task A_broker_that_is_away_loses_its_memory_topics_and_keeps_the_others() => RunAsync("killed for long", async (cluster, load) =>
    {
        int victim = await load.BusiestAsync();
        AuditedTopic memory = await load.OwnedByAsync(victim, "memory");
        Dictionary<string, TopicPlace> places = await cluster.PlacesAsync();
        AuditedTopic durable = load.Topics.First(t => t.Durability != "memory" && places[t.Name].Owner == victim);
        TopicPlace before = (await cluster.PlaceAsync(durable.Name))!;
        await cluster.KillAsync(victim);
        await memory.GoesOnAsync();
        Assert.NotEqual(victim, (await cluster.PlaceAsync(memory.Name))!.Owner);

        // The other one waits, and says so.
        await using DanubeClient client = await cluster.ConnectAsync();
        await ClusterUnderTest.UntilAsync("the topic is waiting", async () =>
        {
            DanubeException error = await Assert.ThrowsAsync<DanubeException>(() => client.CreateProducerAsync(new ProducerOptions { Topic = durable.Name }));
            return error.Code == ErrorCode.TopicWaiting;
        });
        Assert.Equal(victim, (await cluster.PlaceAsync(durable.Name))!.Owner);
        await cluster.StartBrokerAsync(victim);
        await durable.GoesOnAsync();
        Assert.True((await cluster.PlaceAsync(durable.Name))!.Epoch > before.Epoch);
    });

    [Theory(Timeout = 600_000)]
    [MemberData(nameof(Freezes))]
    public Task A_frozen_broker_acknowledges_nothing_when_it_wakes_up(int seconds, bool leader) =>
        RunAsync($"{(leader ? "leader" : "owner")} frozen for {seconds} s", async (cluster, load) =>
        {
            int victim = leader ? await cluster.LeaderAsync() : await load.BusiestAsync(except: await cluster.LeaderAsync());
            load.Note($"broker {victim} owned {await load.OwnsAsync(victim)}");
            cluster.Running[victim].Freeze();
            Task until = Task.Delay(TimeSpan.FromSeconds(seconds));
            if (leader)
            {
                await cluster.LeaderAsync(except: victim);
                load.Note("another one led before it woke up");
            }

            // Its lease lives for 10 s, and 10 s later its memory topics are given to others.
            if (seconds >= 25)
            {
                await MemoryMovesAsync(cluster, load, victim);
                load.Note("its memory topics went to others before it woke up");
            }

            await load.OthersGoOnAsync(except: victim);
            await until;
            cluster.Running[victim].Continue();
        });

    [Fact(Timeout = 300_000)]
    public async Task A_second_process_with_the_same_id_is_turned_away_and_harms_nobody()
    {
        await using ClusterUnderTest cluster = await ClusterUnderTest.StartAsync(brokers: 2);
        using var folder = new DataFolder();
        BrokerOptions twin = cluster.OptionsOf(1) with { DataDirectory = folder.Path, Port = 0 };
        BrokerStartException error = await Assert.ThrowsAsync<BrokerStartException>(() => BrokerProcess.StartAsync(twin));
        Assert.NotEqual(0, error.ExitCode);
        Assert.Contains(cluster.Running[1].Native, error.Message);
        await using DanubeClient client = await cluster.ConnectAsync();
        await ClusterUnderTest.CreateAsync(client, "/a/t");
        await using Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = "/a/t" });
        await producer.SendAsync(MarkedMessage.Create(1, 1));
    }

    [Fact(Timeout = 600_000)]
    public Task When_the_leader_dies_in_the_middle_of_creations_the_next_one_finishes_them() => RunAsync("leader killed while topics are created", async (cluster, load) =>
    {
        int count = LongMode.Pick(200, 1_000);
        int leader = await cluster.LeaderAsync();
        await using DanubeClient client = await cluster.ConnectAsync();
        Task[] creating = [.. Enumerable.Range(0, count).Select(i => ClusterUnderTest.CreateAsync(client, $"/many/t-{i}"))];
        await ClusterUnderTest.UntilAsync("a part is created", async () => (await cluster.PlacesAsync()).Keys.Count(t => t.StartsWith("/many/", StringComparison.Ordinal)) > count / 10);
        await cluster.KillAsync(leader);
        int assigned = (await cluster.PlacesAsync()).Keys.Count(t => t.StartsWith("/many/", StringComparison.Ordinal));
        load.Note($"leader {leader} killed when {assigned} of {count} topics were assigned");
        await Task.WhenAll(creating);
        await cluster.StartBrokerAsync(leader);
        await cluster.ServedAsync(Enumerable.Range(0, count).Select(i => $"/many/t-{i}"));
    });

    [Fact(Timeout = 600_000)]
    public Task A_topic_that_is_deleted_and_created_again_while_its_owner_is_away_begins_anew() => RunAsync("topic created again while its owner is away", async (cluster, load) =>
    {
        await using DanubeClient client = await cluster.ConnectAsync();
        await ClusterUnderTest.CreateAsync(client, "/a/again");
        await using (Producer producer = await client.CreateProducerAsync(new ProducerOptions { Topic = "/a/again" }))
        {
            await producer.SendAsync(MarkedMessage.Create(99, 1));
        }

        int owner = (await cluster.PlaceAsync("/a/again"))!.Owner;
        await cluster.KillAsync(owner);
        await client.DeleteTopicAsync("/a/again");
        await ClusterUnderTest.CreateAsync(client, "/a/again");
        await cluster.ServedAsync(["/a/again"]);
        await cluster.StartBrokerAsync(owner);
        await using Producer again = await client.CreateProducerAsync(new ProducerOptions { Topic = "/a/again" });
        Assert.Equal(0, (await again.SendAsync(MarkedMessage.Create(99, 2))).Offset);
        await load.GoesOnAsync();
        Assert.Equal([2], await TopicReading.NumbersAsync(client, "/a/again"));
    });

    private static async Task RunAsync(string fault, Func<ClusterUnderTest, ClusterLoad, Task> act, int etcdMembers = 1, bool proxied = false, bool clocked = false)
    {
        await using ClusterUnderTest cluster = await ClusterUnderTest.StartAsync(3, etcdMembers, proxied, clocked);
        try
        {
            await using ClusterLoad load = await ClusterLoad.StartAsync(cluster);
            await act(cluster, load);
            await load.AuditAsync(fault);
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"{fault}: {e.Message}\n{cluster.Logs()}", e);
        }
    }
}
