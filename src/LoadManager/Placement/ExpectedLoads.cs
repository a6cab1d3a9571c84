namespace Danube.Fast.LoadManager;

/// <summary>Says what a topic will add to its broker: its last measured share, else its requirement, else the mean of the cluster's topics.</summary>
internal static class ExpectedLoads
{
    private const double BytesPerSecondPerMbps = 1_000_000 / 8.0;

    /// <summary>The expected load of a topic, and where it comes from for the explanation.</summary>
    public static (ExpectedLoad Load, string Source) Of(
        string name, long? previousBroker, TopicRequirements required, BoardView board, ReadOnlySpan<BrokerState> active)
    {
        if (previousBroker is { } previous && board.Find(previous) is { Report: { WindowMs: > 0 } report } broker)
        {
            if (report.GetTopicByName(name) is { } topic)
            {
                return (ExpectedLoad.ShareOf(broker, topic.LoadShare, topic.WalSizeBytes), $"its share of broker {previous}, {topic.LoadShare:P1}");
            }

            if (report.Rest.Topics > 0)
            {
                double share = report.Rest.LoadShare / report.Rest.Topics;
                return (ExpectedLoad.ShareOf(broker, share, (double)report.Rest.WalSizeBytes / report.Rest.Topics), $"the mean of broker {previous}'s lighter topics");
            }
        }

        ExpectedLoad mean = Mean(active);
        if (required.EstimatedThroughputMbps is null && required.EstimatedSizeGb is null)
        {
            return (mean, "the mean of the cluster's topics");
        }

        double mbps = required.EstimatedThroughputMbps ?? mean.ThroughputMbps;
        double bytes = mbps * BytesPerSecondPerMbps;
        return (mean with
        {
            // Processor time grows with the traffic, as far as the cluster's traffic shows how.
            CpuCorePercent = mean.ThroughputMbps > 0 ? mean.CpuCorePercent * mbps / mean.ThroughputMbps : mean.CpuCorePercent,
            ThroughputMbps = mbps,
            DiskIo = Math.Max(mean.DiskIo, bytes),
            NetworkIo = Math.Max(mean.NetworkIo, 2 * bytes),
            WalBytes = required.EstimatedSizeGb * 1e9 ?? mean.WalBytes,
        }, "its requirements");
    }

    private static ExpectedLoad Mean(ReadOnlySpan<BrokerState> active)
    {
        ExpectedLoad sum = default;
        long topics = 0;
        foreach (BrokerState broker in active)
        {
            sum += ExpectedLoad.ShareOf(broker, 1, broker.Factor(LoadFactor.DiskUsage));
            topics += broker.Report!.TopicsLen;
        }

        return topics == 0 ? default : new ExpectedLoad(
            sum.CpuCorePercent / topics, sum.DiskIo / topics, sum.NetworkIo / topics, sum.ThroughputMbps / topics, sum.WalBytes / topics);
    }
}
