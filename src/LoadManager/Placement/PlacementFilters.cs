using System.Globalization;

namespace Danube.Fast.LoadManager;

/// <summary>The hard filters of placement: whether a broker can do what a topic needs.</summary>
internal sealed class PlacementFilters(TopicRequirements requirements, double? medianP99Ms, Func<BrokerState, (ExpectedLoad Pending, ExpectedLoad Declared)> unmeasured)
{
    /// <summary>True when the topic needs anything.</summary>
    public bool HasRequirements =>
        requirements.CpuIntensive || requirements.RequiresLowLatency || requirements.EstimatedThroughputMbps is not null || requirements.EstimatedSizeGb is not null;

    /// <summary>Why a broker cannot take the topic, or null when it can. What is not known refuses nobody.</summary>
    public string? Refusal(BrokerState broker)
    {
        LoadReport report = broker.Report!;
        double? cpu = report.GetResourceUsage(ResourceType.Cpu);
        if ((requirements.CpuIntensive || requirements.RequiresLowLatency) && cpu > RankingRules.BusyCpuPercent)
        {
            return Text($"CPU {cpu:0.0} % is above {RankingRules.BusyCpuPercent} %");
        }

        if (requirements.RequiresLowLatency && report.PublishP99Ms > RankingRules.SlowFactor * medianP99Ms)
        {
            return Text($"publish p99 {report.PublishP99Ms:0.###} ms is above twice the median {medianP99Ms:0.###} ms");
        }

        (ExpectedLoad pending, ExpectedLoad declared) = unmeasured(broker);
        if (requirements.EstimatedThroughputMbps is { } mbps && broker.Capacity.ThroughputMbps is { } most)
        {
            double used = report.TotalThroughputMbps + pending.ThroughputMbps + declared.ThroughputMbps;
            if (used + mbps > RankingRules.UsableShare * most)
            {
                return Text($"throughput {used:0.##} + {mbps:0.##} Mbps is above 90 % of {most:0.##}");
            }
        }

        if (requirements.EstimatedSizeGb is { } size && broker.Capacity.FreeDiskBytes is { } free)
        {
            double reserved = (pending.WalBytes + declared.WalBytes) / 1e9;
            if (reserved + size > RankingRules.UsableShare * free / 1e9)
            {
                return Text($"size {reserved:0.##} + {size:0.##} GB is above 90 % of {free / 1e9:0.##} GB free");
            }
        }

        return null;
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
