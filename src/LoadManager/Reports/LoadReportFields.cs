using System.Text.Json;

namespace Danube.Fast.LoadManager;

/// <summary>Names of the fields of a report, encoded once.</summary>
internal static class LoadReportFields
{
    public static readonly JsonEncodedText Version = JsonEncodedText.Encode("version");
    public static readonly JsonEncodedText BrokerId = JsonEncodedText.Encode("broker_id");
    public static readonly JsonEncodedText Session = JsonEncodedText.Encode("session");
    public static readonly JsonEncodedText Timestamp = JsonEncodedText.Encode("timestamp");
    public static readonly JsonEncodedText WindowMs = JsonEncodedText.Encode("window_ms");
    public static readonly JsonEncodedText AssignmentsRevision = JsonEncodedText.Encode("assignments_revision");
    public static readonly JsonEncodedText ResourcesUsage = JsonEncodedText.Encode("resources_usage");
    public static readonly JsonEncodedText Resource = JsonEncodedText.Encode("resource");
    public static readonly JsonEncodedText Usage = JsonEncodedText.Encode("usage");
    public static readonly JsonEncodedText Unsupported = JsonEncodedText.Encode("unsupported");
    public static readonly JsonEncodedText Capacity = JsonEncodedText.Encode("capacity");
    public static readonly JsonEncodedText Cores = JsonEncodedText.Encode("cores");
    public static readonly JsonEncodedText MemoryBytes = JsonEncodedText.Encode("memory_bytes");
    public static readonly JsonEncodedText DiskBytes = JsonEncodedText.Encode("disk_bytes");
    public static readonly JsonEncodedText FreeDiskBytes = JsonEncodedText.Encode("free_disk_bytes");
    public static readonly JsonEncodedText DiskIoBytesPerSecond = JsonEncodedText.Encode("disk_io_bytes_per_second");
    public static readonly JsonEncodedText NetworkBytesPerSecond = JsonEncodedText.Encode("network_bytes_per_second");
    public static readonly JsonEncodedText ThroughputMbps = JsonEncodedText.Encode("throughput_mbps");
    public static readonly JsonEncodedText MaxTopics = JsonEncodedText.Encode("max_topics");
    public static readonly JsonEncodedText TotalThroughputMbps = JsonEncodedText.Encode("total_throughput_mbps");
    public static readonly JsonEncodedText TotalDiskUsageGb = JsonEncodedText.Encode("total_disk_usage_gb");
    public static readonly JsonEncodedText TotalMessageRate = JsonEncodedText.Encode("total_message_rate");
    public static readonly JsonEncodedText TotalOutMbps = JsonEncodedText.Encode("total_out_mbps");
    public static readonly JsonEncodedText TotalWalBytes = JsonEncodedText.Encode("total_wal_bytes");
    public static readonly JsonEncodedText PublishP99Ms = JsonEncodedText.Encode("publish_p99_ms");
    public static readonly JsonEncodedText TopicsLen = JsonEncodedText.Encode("topics_len");
    public static readonly JsonEncodedText TopicList = JsonEncodedText.Encode("topic_list");
    public static readonly JsonEncodedText Topics = JsonEncodedText.Encode("topics");
    public static readonly JsonEncodedText Rest = JsonEncodedText.Encode("rest");
    public static readonly JsonEncodedText TopicName = JsonEncodedText.Encode("topic_name");
    public static readonly JsonEncodedText MessageRate = JsonEncodedText.Encode("message_rate");
    public static readonly JsonEncodedText ByteRate = JsonEncodedText.Encode("byte_rate");
    public static readonly JsonEncodedText ByteRateMbps = JsonEncodedText.Encode("byte_rate_mbps");
    public static readonly JsonEncodedText ProducerCount = JsonEncodedText.Encode("producer_count");
    public static readonly JsonEncodedText ConsumerCount = JsonEncodedText.Encode("consumer_count");
    public static readonly JsonEncodedText SubscriptionCount = JsonEncodedText.Encode("subscription_count");
    public static readonly JsonEncodedText DiskSizeBytes = JsonEncodedText.Encode("disk_size_bytes");
    public static readonly JsonEncodedText WalSizeBytes = JsonEncodedText.Encode("wal_size_bytes");
    public static readonly JsonEncodedText CloudSizeBytes = JsonEncodedText.Encode("cloud_size_bytes");
    public static readonly JsonEncodedText AvgLatencyMs = JsonEncodedText.Encode("avg_latency_ms");
    public static readonly JsonEncodedText P99LatencyMs = JsonEncodedText.Encode("p99_latency_ms");
    public static readonly JsonEncodedText OldestMessageAgeSec = JsonEncodedText.Encode("oldest_message_age_sec");
    public static readonly JsonEncodedText BacklogMessages = JsonEncodedText.Encode("backlog_messages");
    public static readonly JsonEncodedText OutByteRate = JsonEncodedText.Encode("out_byte_rate");
    public static readonly JsonEncodedText LoadShare = JsonEncodedText.Encode("load_share");
    public static readonly JsonEncodedText StaysHere = JsonEncodedText.Encode("stays_here");
}
