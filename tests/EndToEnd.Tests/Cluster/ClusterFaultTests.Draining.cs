using Danube.Fast.Client;

namespace Danube.Fast.EndToEnd.Tests.Cluster;

/// <summary>A drain whose leader dies in the middle: the next one finishes it.</summary>
public sealed partial class ClusterFaultTests
{
    private const string Asked = "after it has asked for topics", Moving = "while they move";

    /// <summary>Where in a drain the leader dies.</summary>
    public static TheoryData<string> Drains => LongMode.IsOn ? [Asked, Moving] : [Asked];

    [Theory(Timeout = 600_000)]
    [MemberData(nameof(Drains))]
    public Task When_the_leader_dies_in_the_middle_of_a_drain_the_next_one_finishes_it(string when) => RunAsync($"leader killed in a drain, {when}", async (cluster, load) =>
    {
        // A leader asks for 200 at a time: of 500 that one broker has, some have moved and some have not for a good while.
        int count = LongMode.Pick(60, 1_500);
        await using DanubeClient client = await cluster.ConnectAsync();
        string[] names = [.. Enumerable.Range(0, count).Select(i => $"/many/m-{i}")];
        await Task.WhenAll(names.Select(name => ClusterUnderTest.CreateAsync(client, name, "memory")));
        await cluster.ServedAsync(names);
        int leader = await cluster.LeaderAsync(), drained = await load.BusiestAsync(except: leader);
        string[] own = [.. (await cluster.PlacesAsync()).Where(p => p.Value.Owner == drained && p.Key.Contains("/m", StringComparison.Ordinal)).Select(p => p.Key)];
        Assert.NotEmpty(own);
        Task unloading = Task.CompletedTask;
        if (when == Moving)
        {
            Task moved = cluster.FirstMovedAsync(own.ToHashSet(), drained, (await cluster.Store.ListAsync("/cluster/assignments/")).Revision);
            unloading = cluster.UnloadAsync(drained);
            await moved;
            await cluster.KillAsync(leader);
        }
        else
        {
            // A frozen owner releases nothing: the leader dies when it has asked, and nothing has moved.
            cluster.Running[drained].Freeze();
            try
            {
                await cluster.UnloadAsync(drained);
                await ClusterUnderTest.UntilAsync("the leader has asked", async () => (await cluster.PlacesAsync()).Any(p => own.Contains(p.Key) && p.Value.State.Equals("releasing", StringComparison.OrdinalIgnoreCase)));
                await cluster.KillAsync(leader);
            }
            finally
            {
                cluster.Running[drained].Continue();
            }
        }

        Dictionary<string, TopicPlace> left = await cluster.PlacesAsync();
        await unloading;
        int still = own.Count(t => left[t].Owner == drained);
        load.Note($"leader {leader} killed when {still} of {own.Length} topics were still with broker {drained}");
        if (when == Moving)
        {
            // Only a leader gives topics to others, and no other one leads so soon: it died in the middle.
            Assert.InRange(still, 1, own.Length - 1);
        }

        await MovedAsync(cluster, [.. own.Where(t => left[t].Owner == drained)], drained);
        await cluster.LeaderAsync(except: leader);

        // What has records stays, so the broker is not empty.
        Assert.Equal("draining", await cluster.ModeAsync(drained));
        await cluster.StartBrokerAsync(leader);
        await load.GoesOnAsync();
        await cluster.ActivateAsync(drained);
    });
}
