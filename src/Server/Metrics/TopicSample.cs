using Danube.Fast.Core;
using Danube.Fast.Protocol;
using Danube.Fast.Server.Topics;

namespace Danube.Fast.Server.Metrics;

/// <summary>One reading of one topic for a scrape; <c>_other</c> is the sum of those without series of their own.</summary>
internal sealed record TopicSample
{
    public string Namespace { get; init; } = "";
    public string Topic { get; init; } = "";
    public string Partition { get; init; } = "";
    public string Durability { get; init; } = "";
    public TopicCountersSnapshot Counters { get; init; }
    public TopicInfo Info { get; init; } = new();

    /// <summary>Entries that the table of producers has dropped.</summary>
    public long ProducersForgotten { get; init; }

    /// <summary>Records with consumers and not settled, by subscription.</summary>
    public IReadOnlyDictionary<string, long> InFlight { get; init; } = new Dictionary<string, long>();

    public string Reliable => Durability == "memory" ? "false" : "true";

    public static TopicSample Of(TopicEntry entry, Topic topic) => new()
    {
        Namespace = entry.Name.Namespace,
        Topic = entry.Name.Full,
        Partition = entry.Definition.PartitionOf is null ? "" : entry.Name.Partition.ToString(System.Globalization.CultureInfo.InvariantCulture),
        Durability = entry.Definition.Durability,
        Counters = topic.Counters.Snapshot(),
        Info = topic.Describe(),
        ProducersForgotten = topic.ProducersForgotten,
        InFlight = topic.Subscriptions.ToDictionary(s => s.Name, s => s.InFlight),
    };

    /// <summary>The sum of <paramref name="rest"/>, without subscriptions.</summary>
    public static TopicSample Sum(IReadOnlyCollection<TopicSample> rest) => new()
    {
        Namespace = RequestCounters.Other,
        Topic = RequestCounters.Other,
        Counters = new TopicCountersSnapshot
        {
            MessagesIn = rest.Sum(s => s.Counters.MessagesIn),
            BytesIn = rest.Sum(s => s.Counters.BytesIn),
            FramesIn = rest.Sum(s => s.Counters.FramesIn),
            Duplicates = rest.Sum(s => s.Counters.Duplicates),
            Refused = rest.Sum(s => s.Counters.Refused),
            PublishAcks = rest.Sum(s => s.Counters.PublishAcks),
            MessagesOut = rest.Sum(s => s.Counters.MessagesOut),
            BytesOut = rest.Sum(s => s.Counters.BytesOut),
            Delivers = rest.Sum(s => s.Counters.Delivers),
            Redelivered = rest.Sum(s => s.Counters.Redelivered),
            AckFrames = rest.Sum(s => s.Counters.AckFrames),
            Acknowledged = rest.Sum(s => s.Counters.Acknowledged),
            Nacked = rest.Sum(s => s.Counters.Nacked),
            StaleAcks = rest.Sum(s => s.Counters.StaleAcks),
            Dropped = rest.Sum(s => s.Counters.Dropped),
            LostToRetention = rest.Sum(s => s.Counters.LostToRetention),
            DamagedSkipped = rest.Sum(s => s.Counters.DamagedSkipped),
            CursorRecordsDropped = rest.Sum(s => s.Counters.CursorRecordsDropped),
        },
        ProducersForgotten = rest.Sum(s => s.ProducersForgotten),
        Info = new TopicInfo { Producers = rest.Sum(s => s.Info.Producers), SizeBytes = rest.Sum(s => s.Info.SizeBytes) },
    };
}
