namespace Danube.Fast.LoadManager;

/// <summary>Sums over the topics that a report has no room to list.</summary>
public readonly record struct RestOfTopics
{
    /// <summary>How many they are.</summary>
    public int Topics { get; init; }

    public long MessageRate { get; init; }
    public long ByteRate { get; init; }
    public long OutByteRate { get; init; }
    public long ProducerCount { get; init; }
    public long ConsumerCount { get; init; }
    public long SubscriptionCount { get; init; }
    public long WalSizeBytes { get; init; }
    public long CloudSizeBytes { get; init; }
    public long BacklogMessages { get; init; }
    public double LoadShare { get; init; }

    /// <summary>These sums with one topic more.</summary>
    public RestOfTopics Plus(TopicLoad topic)
    {
        ArgumentNullException.ThrowIfNull(topic);
        return new RestOfTopics
        {
            Topics = Topics + 1,
            MessageRate = MessageRate + topic.MessageRate,
            ByteRate = ByteRate + topic.ByteRate,
            OutByteRate = OutByteRate + topic.OutByteRate,
            ProducerCount = ProducerCount + topic.ProducerCount,
            ConsumerCount = ConsumerCount + topic.ConsumerCount,
            SubscriptionCount = SubscriptionCount + topic.SubscriptionCount,
            WalSizeBytes = WalSizeBytes + topic.WalSizeBytes,
            CloudSizeBytes = CloudSizeBytes + topic.CloudSizeBytes,
            BacklogMessages = BacklogMessages + topic.BacklogMessages,
            LoadShare = LoadShare + topic.LoadShare,
        };
    }
}
