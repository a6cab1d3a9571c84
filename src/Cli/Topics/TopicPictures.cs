using Danube.Fast.Cli.Terminal;
using Danube.Fast.Protocol;

namespace Danube.Fast.Cli.Topics;

/// <summary>Topics and subscriptions as text.</summary>
internal static class TopicPictures
{
    public static void List(TextWriter output, IEnumerable<TopicInfo> topics)
    {
        var table = new TextTable("TOPIC", "DURABILITY", "PARTITIONS", "START", "END", "BYTES", "PRODUCERS", "STATE");
        foreach (TopicInfo topic in topics)
        {
            (object start, object end) = Offsets(topic);
            table.Add(topic.Topic, topic.Durability, topic.Partitions, start, end, IsUnknown(topic) ? "-" : topic.SizeBytes, topic.Producers, topic.State);
        }

        table.WriteTo(output);
    }

    /// <param name="output">Receives it.</param>
    /// <param name="topic">The topic.</param>
    /// <param name="partitions">Its partitions, each as the broker that serves it knows it; null when it has none.</param>
    public static void One(TextWriter output, TopicInfo topic, IReadOnlyList<(string Name, TopicInfo Info)>? partitions = null)
    {
        if (partitions is not null)
        {
            topic = Sum(topic, [.. partitions.Select(p => p.Info)]);
        }

        (object start, object end) = Offsets(topic);
        output.WriteLine($"topic       {topic.Topic}");
        output.WriteLine($"durability  {topic.Durability}");
        output.WriteLine($"partitions  {topic.Partitions}");
        output.WriteLine(topic.Partitions > 1 ? "offsets     see each partition" : $"offsets     {start} to {end} (generation {topic.Generation})");
        output.WriteLine($"bytes       {topic.SizeBytes}");
        output.WriteLine($"producers   {topic.Producers}");
        output.WriteLine($"state       {topic.State}");
        if (topic.Failure is { } failure)
        {
            output.WriteLine($"failure     {failure}");
        }

        foreach (OffsetRange range in topic.Damaged ?? [])
        {
            output.WriteLine($"damaged     offsets {range.From} to {range.To - 1} cannot be read any more");
        }

        output.WriteLine();
        if (partitions is not null)
        {
            Partitions(output, partitions);
            output.WriteLine();
        }

        Subscriptions(output, topic.Subscriptions, isSum: topic.Partitions > 1);
    }

    /// <param name="output">Receives them.</param>
    /// <param name="subscriptions">The subscriptions.</param>
    /// <param name="isSum">They are sums over partitions, each of which has offsets and an epoch of its own.</param>
    public static void Subscriptions(TextWriter output, IEnumerable<SubscriptionInfo> subscriptions, bool isSum = false)
    {
        var table = new TextTable("SUBSCRIPTION", "TYPE", "CONSUMERS", "ACKNOWLEDGED", "BACKLOG", "DELAYED", "EPOCH", "BLOCKED");
        foreach (SubscriptionInfo s in subscriptions)
        {
            table.Add(s.Name, s.Type, s.Consumers, isSum ? "-" : s.MarkDelete, s.Backlog, s.Delayed, isSum ? "-" : s.Epoch, s.Blocked ?? "-");
        }

        table.WriteTo(output);
    }

    private static void Partitions(TextWriter output, IEnumerable<(string Name, TopicInfo Info)> partitions)
    {
        var table = new TextTable("PARTITION", "START", "END", "BYTES", "PRODUCERS", "STATE");
        foreach ((string name, TopicInfo info) in partitions)
        {
            (object start, object end) = Offsets(info);
            table.Add(name, start, end, IsUnknown(info) ? "-" : info.SizeBytes, info.Producers, info.State);
        }

        table.WriteTo(output);
    }

    private static TopicInfo Sum(TopicInfo whole, TopicInfo[] partitions) => whole with
    {
        SizeBytes = partitions.Sum(p => p.SizeBytes),
        Producers = partitions.Sum(p => p.Producers),
        State = Array.Find(partitions, p => p.State != "ok")?.State ?? "ok",
        Failure = Array.Find(partitions, p => p.Failure is not null)?.Failure,
        Subscriptions = [.. PartitionAnswers.Sums(partitions)],
    };

    /// <summary>First offset and the one behind the last that consumers can see; dashes for a partitioned topic, which has many, and for one whose log nobody has looked at.</summary>
    private static (object Start, object End) Offsets(TopicInfo topic) =>
        topic.Partitions > 1 || IsUnknown(topic) ? ("-", "-") : (topic.LogStart, topic.Durability == "fsync" ? topic.DurableEnd : topic.CommittedEnd);

    // A broker that has the topic not open, or does not serve it, knows its name and durability: zeros would look like an empty topic.
    private static bool IsUnknown(TopicInfo topic) => topic.Partitions <= 1 && topic.State is ("not_open" or "not_owner" or "owner_unproven" or "topic_waiting");
}
