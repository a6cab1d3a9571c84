using System.Globalization;
using Danube.Fast.LoadManager;
using Danube.Fast.Server.Load;

namespace Danube.Fast.Server.Http;

/// <summary>What operators see of the cluster as a whole, and what is not as it should be. Runs on: HTTP requests.</summary>
internal static class ClusterInspection
{
    public const string Ok = "ok", Degraded = "degraded", Broken = "broken";
    public const string Up = "up", Silent = "silent", Gone = "gone";

    private const double OldProofSeconds = 5;
    private const double UnevenImbalance = 0.3;

    /// <summary>The cluster as this broker sees it.</summary>
    public static async Task<ClusterStatusReply> StatusAsync(LoadService load, CancellationToken cancellationToken)
    {
        IClusterSource source = load.Source;
        ValueTask<StoreFigures> asking = source.AskStoreAsync(cancellationToken);
        IReadOnlyList<ClusterMember> members = source.Describe();
        IReadOnlyDictionary<long, PeerAnswer> peers = await load.Peers.AskAsync(members, cancellationToken);
        StoreFigures store = await asking;
        string? usual = members.Select(m => m.ConfigHash).OfType<string>().GroupBy(h => h).OrderByDescending(g => g.Count()).ThenBy(g => g.Key, StringComparer.Ordinal).FirstOrDefault()?.Key;
        ClusterBrokerReply[] brokers = [.. members.OrderBy(m => m.Broker).Select(m => BrokerOf(m, source, peers, usual))];
        return new ClusterStatusReply(
            source.MetaStore,
            source.Leader,
            source.LeadsSince ?? (source.Leader is { } leader && peers.TryGetValue(leader, out PeerAnswer? answer) ? answer.LeadsSince : null),
            source.Broker,
            brokers,
            source.TopicsByState(),
            new MetadataReply(Milliseconds(store.Request), store.DbBytes, store.QuotaBytes, Seconds(source.ViewAge)));
    }

    /// <summary>What is not as it should be, one sentence each.</summary>
    public static ClusterCheckReply Check(ClusterStatusReply status, LoadService load, HealthReply ready)
    {
        var findings = new List<FindingReply>();
        Add(Broken, status.Leader is null, "No broker leads: topics are not created, assigned or taken over. A broker should take the lead within 15 seconds; if none does, look at the metadata store.");
        Add(Broken, status.MetaStore != "embedded" && status.Metadata.RequestMs is null, "The metadata store does not answer: brokers stop acknowledging 8 seconds after their last proof. Look at etcd and the network to it.");
        Add(Degraded, new StoreFigures(null, status.Metadata.DbBytes, status.Metadata.QuotaBytes).IsNearlyFull, $"The database of etcd has {status.Metadata.DbBytes:N0} of {status.Metadata.QuotaBytes:N0} bytes: compact and defragment it before it refuses writes.");
        foreach (ClusterBrokerReply broker in status.Brokers)
        {
            Add(Degraded, broker.State == Gone, $"Broker {broker.Broker} is gone and {broker.Topics} topics name it: those with stored messages come back with it. If it is lost for good, make them anew with 'danube admin topics recreate TOPIC --lose-data', then 'danube admin brokers remove {broker.Broker}'.");
            Add(Degraded, broker.State == Silent, $"Broker {broker.Broker} is registered, but does not answer at {broker.Http}: look at its log, and at the network to it.");
            Add(Degraded, broker.ProofAgeSeconds > OldProofSeconds, $"Broker {broker.Broker} has not proved its session for {broker.ProofAgeSeconds:0.0} s: it stops acknowledging at 8 s. Look at its connection to the metadata store.");
            Add(Degraded, broker.ConfigDiffers, $"Broker {broker.Broker} has another configuration than most (hash {broker.ConfigHash}): make them the same, the leader's counts.");
            Add(Degraded, broker.Mode == "draining", $"Broker {broker.Broker} is draining; {broker.Topics} topics are left on it.");
        }

        AddTopics(status.Topics, Add);
        foreach (BrokerStatus broker in load.Cluster.Snapshot().Brokers)
        {
            Add(Degraded, broker.Standing == BrokerStanding.Stale && status.Brokers.Any(b => b.Broker == broker.BrokerId && b.State == Up), $"Broker {broker.BrokerId} has no fresh load report: it gets no topics until it posts one.");
            Add(Degraded, broker.Standing == BrokerStanding.Unreadable, $"Broker {broker.BrokerId} cannot read one of its resources: it gets no topics. Its load report says which.");
        }

        double imbalance = load.Cluster.Ranking().Imbalance;
        Add(Degraded, status.Brokers.Length > 1 && imbalance > UnevenImbalance, string.Create(CultureInfo.InvariantCulture, $"The load is uneven (imbalance {imbalance:0.00}): see 'cluster rankings'."));
        foreach (HealthCheck failed in ready.Checks.Where(c => !c.Ok))
        {
            Add(failed.Name == "disk_space" ? Degraded : Broken, true, $"Broker {status.AnsweredBy} is not ready ({failed.Name}): {failed.Reason}.");
        }

        string worst = findings.Exists(f => f.Severity == Broken) ? Broken : findings.Count > 0 ? Degraded : Ok;
        return new ClusterCheckReply(worst, [.. findings.OrderBy(f => f.Severity == Broken ? 0 : 1)]);

        void Add(string severity, bool isSo, string sentence)
        {
            if (isSo)
            {
                findings.Add(new FindingReply(severity, sentence));
            }
        }
    }

    private static void AddTopics(IReadOnlyDictionary<string, int> topics, Action<string, bool, string> add)
    {
        int waiting = topics.GetValueOrDefault(TopicStates.Waiting), failed = topics.GetValueOrDefault(TopicStates.Failed), unassigned = topics.GetValueOrDefault(TopicStates.Unassigned);
        add(Broken, waiting > 0, $"{waiting} topics wait for the broker that has their data: start it again, or give their messages up with 'danube admin topics recreate TOPIC --lose-data'.");
        add(Broken, failed > 0, $"{failed} topics could not be opened by their broker: its log says why.");
        add(Degraded, unassigned > 0, $"{unassigned} topics have no broker yet: the leader gives them one within 30 seconds, if there is a broker that may take them.");
    }

    private static ClusterBrokerReply BrokerOf(ClusterMember member, IClusterSource source, IReadOnlyDictionary<long, PeerAnswer> peers, string? usualHash)
    {
        bool isMe = member.Broker == source.Broker;
        PeerAnswer? answer = peers.GetValueOrDefault(member.Broker);
        return new ClusterBrokerReply(
            member.Broker,
            !member.IsRegistered ? Gone : isMe || answer is not null ? Up : Silent,
            member.Mode.ToString().ToLower(CultureInfo.InvariantCulture),
            member.Version,
            member.ConfigHash,
            member.ConfigHash is { } hash && hash != usualHash,
            isMe ? Seconds(source.ProofAge) : answer?.ProofAgeSeconds,
            member.Native,
            member.Http,
            member.Topics);
    }

    private static double? Seconds(TimeSpan? time) => time is { } known ? Math.Round(known.TotalSeconds, 1) : null;

    private static double? Milliseconds(TimeSpan? time) => time is { } known ? Math.Round(known.TotalMilliseconds, 2) : null;
}
