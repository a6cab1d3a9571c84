namespace Danube.Fast.EndToEnd.Tests.Cluster;

/// <summary>A wall clock that is set: ownership rests on a clock that nobody sets.</summary>
public sealed partial class ClusterFaultTests
{
    /// <summary>Hours, and whether it is the leader's clock.</summary>
    public static TheoryData<int, bool> ClockSteps => LongMode.IsOn
        ? new() { { 2, false }, { -2, false }, { 2, true }, { -2, true } }
        : new() { { 2, false } };

    [Theory(Timeout = 600_000)]
    [MemberData(nameof(ClockSteps))]
    public Task A_wall_clock_may_be_set(int hours, bool leader) => RunAsync($"clock of {(leader ? "the leader" : "an owner")} set by {hours} h", async (cluster, load) =>
    {
        int victim = leader ? await cluster.LeaderAsync() : await load.BusiestAsync(except: await cluster.LeaderAsync());
        load.Note($"broker {victim} owned {await load.OwnsAsync(victim)}");
        Dictionary<string, TopicPlace> before = await cluster.PlacesAsync();
        await cluster.SetClockAsync(victim, TimeSpan.FromHours(hours));
        await ClusterUnderTest.UntilAsync("its clock is set", async () => (await cluster.ClockAsync(victim) - DateTimeOffset.UtcNow - TimeSpan.FromHours(hours)).Duration() < TimeSpan.FromMinutes(30));
        await load.GoesOnAsync();

        // Longer than a lease lives, and than the leader waits for a broker that is away.
        await Task.Delay(TimeSpan.FromSeconds(LongMode.Pick(12, 30)));
        await load.GoesOnAsync();
        Dictionary<string, TopicPlace> after = await cluster.PlacesAsync();
        Assert.All(before, p => Assert.Equal(p.Value.Owner, after[p.Key].Owner)); // Nobody lost a topic.
        load.Note($"{before.Count(p => after[p.Key].Epoch != p.Value.Epoch)} topics were opened again");
        if (leader)
        {
            Assert.Equal(victim, await cluster.LeaderAsync());
        }

        await cluster.SetClockAsync(victim, TimeSpan.Zero);
        await ClusterUnderTest.UntilAsync("its clock is right again", async () => (await cluster.ClockAsync(victim) - DateTimeOffset.UtcNow).Duration() < TimeSpan.FromMinutes(30));
        await load.GoesOnAsync();
    }, clocked: true);
}
