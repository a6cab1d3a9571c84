using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Http;

/// <summary>A partition that an answer about the whole topic does not speak of.</summary>
/// <param name="Topic">Full name of the partition.</param>
/// <param name="Reason">Why, a sentence.</param>
internal sealed record MissingPartition(string Topic, string Reason)
{
    /// <summary>All of them in one sentence.</summary>
    public static string Sentence(MissingPartition[] missing) =>
        $"Without {string.Join(", ", missing.Take(3).Select(m => m.Topic))}{(missing.Length > 3 ? $" and {missing.Length - 3} more partitions" : "")}: {missing[0].Reason}";
}

/// <summary>Answer of .../subscriptions/S of a topic with partitions.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="Subscription">Sums over the partitions; offsets and epoch are 0.</param>
/// <param name="AcknowledgedBeyond">The sum.</param>
/// <param name="Policy">Of the first partition; they have the same.</param>
/// <param name="Consumers">Of all partitions.</param>
/// <param name="Partitions">One by one.</param>
/// <param name="Missing">Partitions that could not be asked, or do not have it; absent when there is none.</param>
internal sealed record PartitionedSubscriptionReply(
    string Topic, SubscriptionInfo Subscription, long AcknowledgedBeyond, SubscriptionPolicy Policy, ConsumerInfo[] Consumers, SubscriptionDetails[] Partitions, MissingPartition[]? Missing);

/// <summary>Answer of .../seek of a topic with partitions.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="Partitions">Where the subscription stands now, one by one.</param>
/// <param name="Missing">Partitions where it was not moved; absent when there is none.</param>
internal sealed record PartitionedSeekReply(string Topic, PartitionPosition[] Partitions, MissingPartition[]? Missing);

/// <summary>Where a subscription stands in a partition.</summary>
internal sealed record PartitionPosition(string Topic, uint SubscriptionEpoch, long MarkDelete);
