namespace Danube.Fast.EndToEnd.Tests.Cluster;

/// <summary>etcd that dies, freezes, forgets, or cannot be reached by one broker.</summary>
public sealed partial class ClusterFaultTests
{
    /// <summary>What the normal run tries, and what the long one does too.</summary>
    public static TheoryData<string> EtcdFaults => LongMode.IsOn
        ? ["away for 3 s", "away for 60 s", "leader frozen for 15 s", "leader frozen for 40 s", "one broker cut off", "answers held back for one broker", "compacted while one broker is cut off"]
        : ["away for 3 s", "one broker cut off"];

    [Theory(Timeout = 600_000)]
    [MemberData(nameof(EtcdFaults))]
    public Task Etcd_may_fail(string fault) => fault switch
    {
        "away for 3 s" => RunAsync("etcd " + fault, (cluster, _) => RestartEtcdAsync(cluster, 3)),
        "away for 60 s" => RunAsync("etcd " + fault, (cluster, _) => RestartEtcdAsync(cluster, 60)),
        "leader frozen for 15 s" => RunAsync("etcd's " + fault, (cluster, _) => FreezeEtcdAsync(cluster, 15), etcdMembers: 3),
        "leader frozen for 40 s" => RunAsync("etcd's " + fault, (cluster, _) => FreezeEtcdAsync(cluster, 40), etcdMembers: 3),
        "one broker cut off" => RunAsync(fault + " from etcd", (cluster, load) => CutOffAsync(cluster, load, p => p.Close(), p => p.Reopen()), proxied: true),
        "answers held back for one broker" => RunAsync("etcd's " + fault, (cluster, load) => CutOffAsync(cluster, load, p => p.HoldAnswers(), p => p.PassAnswers()), proxied: true),
        "compacted while one broker is cut off" => RunAsync("etcd " + fault, CompactAsync, proxied: true),
        _ => throw new ArgumentOutOfRangeException(nameof(fault)),
    };

    private static async Task RestartEtcdAsync(ClusterUnderTest cluster, int seconds)
    {
        await cluster.Etcd.Members[0].KillAsync();
        await Task.Delay(TimeSpan.FromSeconds(seconds));
        await cluster.Etcd.Members[0].StartAsync();
    }

    private static async Task FreezeEtcdAsync(ClusterUnderTest cluster, int seconds)
    {
        EtcdProcess leader = await cluster.Etcd.LeaderAsync(cluster.Store);
        leader.Stop();
        await Task.Delay(TimeSpan.FromSeconds(seconds));
        leader.Continue();
    }

    private static async Task CutOffAsync(ClusterUnderTest cluster, ClusterLoad load, Action<AnswerProxy> cut, Action<AnswerProxy> mend)
    {
        int victim = await load.BusiestAsync(except: await cluster.LeaderAsync());
        AuditedTopic memory = await load.OwnedByAsync(victim, "memory");
        cut(cluster.ProxyOf(victim));
        await ClusterUnderTest.UntilAsync("its memory topic is elsewhere", async () => await cluster.PlaceAsync(memory.Name) is { IsServing: true } place && place.Owner != victim);
        await memory.GoesOnAsync();
        await Task.Delay(TimeSpan.FromSeconds(5));
        mend(cluster.ProxyOf(victim));
    }

    private static async Task CompactAsync(ClusterUnderTest cluster, ClusterLoad load)
    {
        int victim = await load.BusiestAsync(except: await cluster.LeaderAsync());
        cluster.ProxyOf(victim).Close();
        await Task.Delay(TimeSpan.FromSeconds(20));
        await cluster.Store.CompactAsync((await cluster.Store.ListAsync("/cluster/")).Revision);
        cluster.ProxyOf(victim).Reopen();
    }
}
