using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Danube.Fast.LoadManager;

/// <summary>Reads reports, also those of the documents' phases 1 and 2. Fields that it does not know are passed over.</summary>
public static class LoadReportReader
{
    /// <summary>Reads a report.</summary>
    /// <param name="json">Its bytes.</param>
    /// <param name="report">The report.</param>
    /// <param name="fault">What is wrong with the bytes, when it returns false.</param>
    public static bool TryRead(ReadOnlyMemory<byte> json, [NotNullWhen(true)] out LoadReport? report, [NotNullWhen(false)] out string? fault)
    {
        report = null;
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                fault = "A load report is a JSON object.";
                return false;
            }

            report = Read(document.RootElement);
            fault = null;
            return true;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            fault = "The load report cannot be read: " + e.Message;
            return false;
        }
    }

    private static LoadReport Read(JsonElement json)
    {
        TopicLoad[] topics = [.. Items(json, "topics").Select(ReadTopic)];
        string[] names = [.. Items(json, "topic_list").Select(t => t.GetString() ?? "")];
        int version = json.TryGetProperty("version", out JsonElement v) ? v.GetInt32() : json.TryGetProperty("topics", out _) ? 2 : 1;
        long walBytes = json.TryGetProperty("total_wal_bytes", out JsonElement wal) ? wal.GetInt64() : topics.Sum(t => t.WalSizeBytes);
        return new LoadReport
        {
            Version = version,
            BrokerId = Whole(json, "broker_id"),
            Session = Whole(json, "session"),
            Timestamp = Whole(json, "timestamp"),
            WindowMs = Whole(json, "window_ms"),
            AssignmentsRevision = Whole(json, "assignments_revision"),
            ResourcesUsage = ReadResources(json),
            Unsupported = [.. Items(json, "unsupported").Select(u => (Known: ResourceNames.TryParse(u.GetString(), out ResourceType r), r)).Where(u => u.Known).Select(u => u.r)],
            Capacity = json.TryGetProperty("capacity", out JsonElement capacity) ? ReadCapacity(capacity) : ResourceCapacity.Unknown,
            TotalThroughputMbps = Number(json, "total_throughput_mbps"),
            TotalDiskUsageGb = Number(json, "total_disk_usage_gb"),
            TotalMessageRate = Whole(json, "total_message_rate"),
            TotalOutMbps = Number(json, "total_out_mbps"),
            TotalWalBytes = walBytes,
            PublishP99Ms = Known(json, "publish_p99_ms"),
            TopicsLen = json.TryGetProperty("topics_len", out JsonElement length) ? length.GetInt32() : Math.Max(topics.Length, names.Length),
            TopicList = names,
            Topics = topics,
            Rest = json.TryGetProperty("rest", out JsonElement rest) ? ReadRest(rest) : default,
        };
    }

    private static Dictionary<ResourceType, double> ReadResources(JsonElement json)
    {
        var usage = new Dictionary<ResourceType, double>();
        foreach (JsonElement item in Items(json, "resources_usage"))
        {
            if (item.TryGetProperty("resource", out JsonElement name) && ResourceNames.TryParse(name.GetString(), out ResourceType resource)
                && item.TryGetProperty("usage", out JsonElement value))
            {
                usage[resource] = value.GetDouble();
            }
        }

        return usage;
    }

    private static ResourceCapacity ReadCapacity(JsonElement json) => new()
    {
        Cores = Known(json, "cores"),
        MemoryBytes = (long?)Known(json, "memory_bytes"),
        DiskBytes = (long?)Known(json, "disk_bytes"),
        FreeDiskBytes = (long?)Known(json, "free_disk_bytes"),
        DiskIoBytesPerSecond = Known(json, "disk_io_bytes_per_second"),
        NetworkBytesPerSecond = Known(json, "network_bytes_per_second"),
        ThroughputMbps = Known(json, "throughput_mbps"),
        MaxTopics = json.TryGetProperty("max_topics", out JsonElement most) ? most.GetInt32() : ResourceCapacity.Unknown.MaxTopics,
    };

    private static TopicLoad ReadTopic(JsonElement json) => new()
    {
        TopicName = json.TryGetProperty("topic_name", out JsonElement name) ? name.GetString() ?? "" : "",
        MessageRate = Whole(json, "message_rate"),
        ByteRate = Whole(json, "byte_rate"),
        ByteRateMbps = Number(json, "byte_rate_mbps"),
        ProducerCount = (int)Whole(json, "producer_count"),
        ConsumerCount = (int)Whole(json, "consumer_count"),
        SubscriptionCount = (int)Whole(json, "subscription_count"),
        DiskSizeBytes = Whole(json, "disk_size_bytes"),
        WalSizeBytes = Whole(json, "wal_size_bytes"),
        CloudSizeBytes = Whole(json, "cloud_size_bytes"),
        AvgLatencyMs = Number(json, "avg_latency_ms"),
        P99LatencyMs = Number(json, "p99_latency_ms"),
        OldestMessageAgeSec = Whole(json, "oldest_message_age_sec"),
        BacklogMessages = Whole(json, "backlog_messages"),
        OutByteRate = Whole(json, "out_byte_rate"),
        LoadShare = Number(json, "load_share"),
        StaysHere = json.TryGetProperty("stays_here", out JsonElement stays) && stays.GetBoolean(),
    };

    private static RestOfTopics ReadRest(JsonElement json) => new()
    {
        Topics = (int)Whole(json, "topics"),
        MessageRate = Whole(json, "message_rate"),
        ByteRate = Whole(json, "byte_rate"),
        OutByteRate = Whole(json, "out_byte_rate"),
        ProducerCount = Whole(json, "producer_count"),
        ConsumerCount = Whole(json, "consumer_count"),
        SubscriptionCount = Whole(json, "subscription_count"),
        WalSizeBytes = Whole(json, "wal_size_bytes"),
        CloudSizeBytes = Whole(json, "cloud_size_bytes"),
        BacklogMessages = Whole(json, "backlog_messages"),
        LoadShare = Number(json, "load_share"),
    };

    private static IEnumerable<JsonElement> Items(JsonElement json, string name) =>
        json.TryGetProperty(name, out JsonElement list) && list.ValueKind == JsonValueKind.Array ? list.EnumerateArray() : [];

    private static long Whole(JsonElement json, string name) => json.TryGetProperty(name, out JsonElement value) ? value.GetInt64() : 0;

    private static double Number(JsonElement json, string name) => Known(json, name) ?? 0;

    private static double? Known(JsonElement json, string name) => json.TryGetProperty(name, out JsonElement value) ? value.GetDouble() : null;
}
