using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Danube.Fast.LoadManager;

/// <summary>
/// Writes a report as compact JSON of at most <see cref="MaxBytes"/> whatever the topics are called: the heaviest are listed until the bytes are
/// used, the others are summed in <c>rest</c>. Keeps its buffers; for one thread.
/// </summary>
public sealed class LoadReportWriter
{
    /// <summary>Most bytes of a report.</summary>
    public const int MaxBytes = 9_500;

    // No topic takes fewer bytes than its field names do; below that there is no need to try the next one.
    private const int LeastTopicBytes = 300;

    // The sums of fewer topics can take a few digits more than those of all.
    private const int Slack = 64;

    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    private readonly ArrayBufferWriter<byte> _text = new(16 * 1024);
    private readonly ArrayBufferWriter<byte> _one = new(1024);
    private readonly ArrayBufferWriter<byte> _listed = new(12 * 1024);

    /// <summary>The bytes of a report.</summary>
    /// <param name="report">Its <see cref="LoadReport.Topics"/> are all topics in the order in which they should be listed; its <see cref="LoadReport.Rest"/> is added to.</param>
    public byte[] Write(LoadReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        RestOfTopics rest = report.Rest;
        foreach (TopicLoad topic in report.Topics)
        {
            rest = rest.Plus(topic);
        }

        Write(report, "[]"u8, rest);
        int room = MaxBytes - _text.WrittenCount - Slack;
        rest = List(report, room);
        Write(report, _listed.WrittenSpan, rest);
        return _text.WrittenSpan.ToArray();
    }

    // Fills the list of topics and returns the sums of those that are not in it.
    private RestOfTopics List(LoadReport report, int room)
    {
        RestOfTopics rest = report.Rest;
        _listed.ResetWrittenCount();
        _listed.Write("["u8);
        foreach (TopicLoad topic in report.Topics)
        {
            if (room >= LeastTopicBytes)
            {
                _one.ResetWrittenCount();
                using (var writer = new Utf8JsonWriter(_one, Options))
                {
                    WriteTopic(writer, topic);
                }

                int bytes = _one.WrittenCount + 1;
                if (bytes <= room)
                {
                    _listed.Write(_listed.WrittenCount == 1 ? [] : ","u8);
                    _listed.Write(_one.WrittenSpan);
                    room -= bytes;
                    continue;
                }
            }

            rest = rest.Plus(topic);
        }

        _listed.Write("]"u8);
        return rest;
    }

    private void Write(LoadReport report, ReadOnlySpan<byte> topics, RestOfTopics rest)
    {
        _text.ResetWrittenCount();
        using var json = new Utf8JsonWriter(_text, Options);
        json.WriteStartObject();
        json.WriteNumber(LoadReportFields.Version, report.Version);
        json.WriteNumber(LoadReportFields.BrokerId, report.BrokerId);
        json.WriteNumber(LoadReportFields.Session, report.Session);
        json.WriteNumber(LoadReportFields.Timestamp, report.Timestamp);
        json.WriteNumber(LoadReportFields.WindowMs, report.WindowMs);
        json.WriteNumber(LoadReportFields.AssignmentsRevision, report.AssignmentsRevision);
        WriteResources(json, report);
        WriteCapacity(json, report.Capacity);
        Number(json, LoadReportFields.TotalThroughputMbps, report.TotalThroughputMbps);
        Number(json, LoadReportFields.TotalDiskUsageGb, report.TotalDiskUsageGb, digits: 9);
        json.WriteNumber(LoadReportFields.TotalMessageRate, report.TotalMessageRate);
        Number(json, LoadReportFields.TotalOutMbps, report.TotalOutMbps);
        json.WriteNumber(LoadReportFields.TotalWalBytes, report.TotalWalBytes);
        Known(json, LoadReportFields.PublishP99Ms, report.PublishP99Ms);
        json.WriteNumber(LoadReportFields.TopicsLen, report.TopicsLen);
        json.WriteStartArray(LoadReportFields.TopicList);
        json.WriteEndArray();
        json.WritePropertyName(LoadReportFields.Topics);
        json.WriteRawValue(topics, skipInputValidation: true);
        WriteRest(json, rest);
        json.WriteEndObject();
    }

    private static void WriteResources(Utf8JsonWriter json, LoadReport report)
    {
        json.WriteStartArray(LoadReportFields.ResourcesUsage);
        foreach (ResourceType resource in ResourceNames.All)
        {
            if (report.GetResourceUsage(resource) is { } usage && double.IsFinite(usage))
            {
                json.WriteStartObject();
                json.WriteString(LoadReportFields.Resource, resource.ReportName());
                Number(json, LoadReportFields.Usage, usage);
                json.WriteEndObject();
            }
        }

        json.WriteEndArray();
        if (report.Unsupported.Count > 0)
        {
            json.WriteStartArray(LoadReportFields.Unsupported);
            foreach (ResourceType resource in report.Unsupported)
            {
                json.WriteStringValue(resource.ReportName());
            }

            json.WriteEndArray();
        }
    }

    private static void WriteCapacity(Utf8JsonWriter json, ResourceCapacity capacity)
    {
        json.WriteStartObject(LoadReportFields.Capacity);
        Known(json, LoadReportFields.Cores, capacity.Cores);
        Known(json, LoadReportFields.MemoryBytes, capacity.MemoryBytes);
        Known(json, LoadReportFields.DiskBytes, capacity.DiskBytes);
        Known(json, LoadReportFields.FreeDiskBytes, capacity.FreeDiskBytes);
        Known(json, LoadReportFields.DiskIoBytesPerSecond, capacity.DiskIoBytesPerSecond);
        Known(json, LoadReportFields.NetworkBytesPerSecond, capacity.NetworkBytesPerSecond);
        Known(json, LoadReportFields.ThroughputMbps, capacity.ThroughputMbps);
        json.WriteNumber(LoadReportFields.MaxTopics, capacity.MaxTopics);
        json.WriteEndObject();
    }

    private static void WriteTopic(Utf8JsonWriter json, TopicLoad topic)
    {
        json.WriteStartObject();
        json.WriteString(LoadReportFields.TopicName, topic.TopicName);
        json.WriteNumber(LoadReportFields.MessageRate, topic.MessageRate);
        json.WriteNumber(LoadReportFields.ByteRate, topic.ByteRate);
        Number(json, LoadReportFields.ByteRateMbps, topic.ByteRateMbps);
        json.WriteNumber(LoadReportFields.ProducerCount, topic.ProducerCount);
        json.WriteNumber(LoadReportFields.ConsumerCount, topic.ConsumerCount);
        json.WriteNumber(LoadReportFields.SubscriptionCount, topic.SubscriptionCount);
        json.WriteNumber(LoadReportFields.DiskSizeBytes, topic.DiskSizeBytes);
        json.WriteNumber(LoadReportFields.WalSizeBytes, topic.WalSizeBytes);
        json.WriteNumber(LoadReportFields.CloudSizeBytes, topic.CloudSizeBytes);
        Number(json, LoadReportFields.AvgLatencyMs, topic.AvgLatencyMs);
        Number(json, LoadReportFields.P99LatencyMs, topic.P99LatencyMs);
        json.WriteNumber(LoadReportFields.OldestMessageAgeSec, topic.OldestMessageAgeSec);
        json.WriteNumber(LoadReportFields.BacklogMessages, topic.BacklogMessages);
        json.WriteNumber(LoadReportFields.OutByteRate, topic.OutByteRate);
        Number(json, LoadReportFields.LoadShare, topic.LoadShare, digits: 6);
        if (topic.StaysHere)
        {
            json.WriteBoolean(LoadReportFields.StaysHere, true);
        }

        json.WriteEndObject();
    }

    private static void WriteRest(Utf8JsonWriter json, RestOfTopics rest)
    {
        json.WriteStartObject(LoadReportFields.Rest);
        json.WriteNumber(LoadReportFields.Topics, rest.Topics);
        json.WriteNumber(LoadReportFields.MessageRate, rest.MessageRate);
        json.WriteNumber(LoadReportFields.ByteRate, rest.ByteRate);
        json.WriteNumber(LoadReportFields.OutByteRate, rest.OutByteRate);
        json.WriteNumber(LoadReportFields.ProducerCount, rest.ProducerCount);
        json.WriteNumber(LoadReportFields.ConsumerCount, rest.ConsumerCount);
        json.WriteNumber(LoadReportFields.SubscriptionCount, rest.SubscriptionCount);
        json.WriteNumber(LoadReportFields.WalSizeBytes, rest.WalSizeBytes);
        json.WriteNumber(LoadReportFields.CloudSizeBytes, rest.CloudSizeBytes);
        json.WriteNumber(LoadReportFields.BacklogMessages, rest.BacklogMessages);
        Number(json, LoadReportFields.LoadShare, rest.LoadShare, digits: 6);
        json.WriteEndObject();
    }

    private static void Known(Utf8JsonWriter json, JsonEncodedText name, double? value)
    {
        if (value is { } known && double.IsFinite(known))
        {
            Number(json, name, known);
        }
    }

    private static void Known(Utf8JsonWriter json, JsonEncodedText name, long? value)
    {
        if (value is { } known)
        {
            json.WriteNumber(name, known);
        }
    }

    private static void Number(Utf8JsonWriter json, JsonEncodedText name, double value, int digits = 4) =>
        json.WriteNumber(name, double.IsFinite(value) ? Math.Round(value, digits) : 0);
}
