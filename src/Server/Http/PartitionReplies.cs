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

/// <summary>Answer of a change of a topic with partitions, or of one of its subscriptions.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="Skipped">Messages acknowledged unseen, over all partitions; absent for other changes.</param>
/// <param name="Partitions">Where it was done, one by one.</param>
/// <param name="Missing">Partitions where it was not done; absent when there is none.</param>
internal sealed record PartitionedChangeReply(string Topic, long? Skipped, PartitionChange[] Partitions, MissingPartition[]? Missing);

/// <summary>What was done in a partition; what has nothing to do with the change is absent.</summary>
/// <param name="Topic">Full name of the partition.</param>
/// <param name="SubscriptionEpoch">Of the subscription from now on.</param>
/// <param name="MarkDelete">First offset that is not acknowledged now.</param>
/// <param name="Skipped">Messages acknowledged unseen.</param>
internal sealed record PartitionChange(string Topic, uint? SubscriptionEpoch = null, long? MarkDelete = null, long? Skipped = null);
