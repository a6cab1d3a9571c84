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

    public static void One(TextWriter output, TopicInfo topic)
    {
        (object start, object end) = Offsets(topic);
        output.WriteLine($"topic       {topic.Topic}");
        output.WriteLine($"durability  {topic.Durability}");
        output.WriteLine($"partitions  {topic.Partitions}");
        output.WriteLine(topic.Partitions > 1 ? "offsets     see each partition, TOPIC-part-N" : $"offsets     {start} to {end} (generation {topic.Generation})");
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
        Subscriptions(output, topic.Subscriptions);
    }

    public static void Subscriptions(TextWriter output, IEnumerable<SubscriptionInfo> subscriptions)
    {
        var table = new TextTable("SUBSCRIPTION", "TYPE", "CONSUMERS", "ACKNOWLEDGED", "BACKLOG", "DELAYED", "EPOCH", "BLOCKED");
        foreach (SubscriptionInfo s in subscriptions)
        {
            table.Add(s.Name, s.Type, s.Consumers, s.MarkDelete, s.Backlog, s.Delayed, s.Epoch, s.Blocked ?? "-");
        }

        table.WriteTo(output);
    }

    /// <summary>First offset and the one behind the last that consumers can see; dashes for a partitioned topic, which has many, and for one whose log nobody has looked at.</summary>
    private static (object Start, object End) Offsets(TopicInfo topic) =>
        topic.Partitions > 1 || IsUnknown(topic) ? ("-", "-") : (topic.LogStart, topic.Durability == "fsync" ? topic.DurableEnd : topic.CommittedEnd);

    // A broker that has the topic not open, or does not serve it, knows its name and durability: zeros would look like an empty topic.
    private static bool IsUnknown(TopicInfo topic) => topic.Partitions <= 1 && topic.State is ("not_open" or "not_owner" or "owner_unproven" or "topic_waiting");
}
