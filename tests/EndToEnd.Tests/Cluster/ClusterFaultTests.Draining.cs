using Danube.Fast.Client;

namespace Danube.Fast.EndToEnd.Tests.Cluster;

/// <summary>A drain whose leader dies in the middle: the next one finishes it.</summary>
public sealed partial class ClusterFaultTests
{
    /// <summary>Where in a drain the leader dies.</summary>
    public static TheoryData<string> Drains => LongMode.IsOn ? ["after it has asked for topics", "while they move"] : ["after it has asked for topics"];

    [Theory(Timeout = 600_000)]
    [MemberData(nameof(Drains))]
    public Task When_the_leader_dies_in_the_middle_of_a_drain_the_next_one_finishes_it(string when) => RunAsync($"leader killed in a drain, {when}", async (cluster, load) =>
    {
        int count = LongMode.Pick(60, 600);
        await using DanubeClient client = await cluster.ConnectAsync();
        string[] names = [.. Enumerable.Range(0, count).Select(i => $"/many/m-{i}")];
        await Task.WhenAll(names.Select(name => ClusterUnderTest.CreateAsync(client, name, "memory")));
        await cluster.ServedAsync(names);
        int leader = await cluster.LeaderAsync(), drained = await load.BusiestAsync(except: leader);
        string[] own = [.. (await cluster.PlacesAsync()).Where(p => p.Value.Owner == drained && p.Key.Contains("/m", StringComparison.Ordinal)).Select(p => p.Key)];
        Assert.NotEmpty(own);
        if (when == "while they move")
        {
            await cluster.UnloadAsync(drained);
            await ClusterUnderTest.UntilAsync("the first topics have moved", async () => (await cluster.PlacesAsync()).Any(p => own.Contains(p.Key) && p.Value.Owner != drained));
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
        load.Note($"leader {leader} killed when {own.Count(t => left[t].Owner == drained)} of {own.Length} topics were still with broker {drained}");
        await MovedAsync(cluster, [.. own.Where(t => left[t].Owner == drained)], drained);
        await cluster.LeaderAsync(except: leader);

        // What has records stays, so the broker is not empty.
        Assert.Equal("draining", await cluster.ModeAsync(drained));
        await cluster.StartBrokerAsync(leader);
        await load.GoesOnAsync();
        await cluster.ActivateAsync(drained);
    });
}
