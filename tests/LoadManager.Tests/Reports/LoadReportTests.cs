using System.Text;
using System.Text.Json;
using Danube.Fast.Tests;

namespace Danube.Fast.LoadManager.Tests;

/// <summary>The report on the wire: names, size, old forms.</summary>
public sealed class LoadReportTests
{
    private static readonly TopicLoad Busy = new()
    {
        TopicName = "/default/busy",
        MessageRate = 1000,
        ByteRate = 1_000_000,
        ByteRateMbps = 8,
        ProducerCount = 2,
        ConsumerCount = 3,
        SubscriptionCount = 2,
        DiskSizeBytes = 1_500_000_000,
        WalSizeBytes = 1_000_000_000,
        CloudSizeBytes = 500_000_000,
        AvgLatencyMs = 0.12344,
        P99LatencyMs = 0.42,
        OldestMessageAgeSec = 5,
        BacklogMessages = 17,
        OutByteRate = 2_000_000,
        LoadShare = 0.9876543,
    };

    [Fact]
    public void Names_and_form_are_those_of_the_golden_file()
    {
        byte[] json = new LoadReportWriter().Write(Sample());
        Assert.Equal(Golden("version3"), Encoding.UTF8.GetString(json));
    }

    [Fact]
    public void What_was_written_is_read()
    {
        Assert.True(LoadReportReader.TryRead(Encoding.UTF8.GetBytes(Golden("version3")), out LoadReport? report, out _));
        Assert.Equal(3, report.Version);
        Assert.Equal((1, 77, 30_000, 41), (report.BrokerId, report.Session, report.WindowMs, report.AssignmentsRevision));
        Assert.Equal(12.5, report.GetResourceUsage(ResourceType.Cpu));
        Assert.Null(report.GetResourceUsage(ResourceType.DiskIo));
        Assert.Equal([ResourceType.DiskIo], report.Unsupported);
        Assert.Equal(4, report.Capacity.Cores);
        Assert.Null(report.Capacity.ThroughputMbps);
        Assert.Equal(Busy with { AvgLatencyMs = 0.1234, LoadShare = 0.987654 }, report.Topics[0]);
        Assert.True(report.Topics[1].StaysHere);
        Assert.Equal(0.42, report.PublishP99Ms);
        Assert.Equal(new RestOfTopics(), report.Rest);
    }

    [Fact]
    public void A_report_of_phase_1_is_read()
    {
        Assert.True(LoadReportReader.TryRead(Encoding.UTF8.GetBytes(Golden("phase1")), out LoadReport? report, out _));
        Assert.Equal(1, report.Version);
        Assert.Equal(35.5, report.GetResourceUsage(ResourceType.Cpu));
        Assert.Equal(2_097_152, report.GetResourceUsage(ResourceType.NetworkIo));
        Assert.Equal(3, report.TopicsLen);
        Assert.Equal(["/default/a", "/default/b", "/orders/c"], report.TopicList);
        Assert.Equal(1_735_689_600, report.Timestamp);
        Assert.Empty(report.Topics);
    }

    [Fact]
    public void A_report_of_phase_2_is_read()
    {
        Assert.True(LoadReportReader.TryRead(Encoding.UTF8.GetBytes(Golden("phase2")), out LoadReport? report, out _));
        Assert.Equal((2, 7, 2, 1000, 8.0), (report.Version, report.BrokerId, report.TopicsLen, report.TotalMessageRate, report.TotalThroughputMbps));
        Assert.Null(report.GetResourceUsage(ResourceType.DiskIo));
        Assert.Equal(500_000_000, report.TotalWalBytes);
        Assert.Equal(10_000, report.GetTopicByName("/default/test")!.BacklogMessages);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{\"broker_id\":\"one\"}")]
    [InlineData("{\"topics\":[{\"message_rate\":1.5}]}")]
    [InlineData("{\"timestamp\":1")]
    public void What_is_no_report_is_refused_with_a_sentence(string json)
    {
        Assert.False(LoadReportReader.TryRead(Encoding.UTF8.GetBytes(json), out _, out string? fault));
        Assert.NotEmpty(fault);
    }

    [Fact]
    public void Fields_that_are_not_known_are_passed_over()
    {
        Assert.True(LoadReportReader.TryRead("{\"broker_id\":1,\"news\":{\"a\":[1]},\"resources_usage\":[{\"resource\":\"GPU\",\"usage\":3}]}"u8.ToArray(), out LoadReport? report, out _));
        Assert.Equal(1, report.BrokerId);
        Assert.Empty(report.ResourcesUsage);
    }

    [Theory]
    [InlineData("short", 13, 26)]
    [InlineData("long", 8, 22)]
    [InlineData("escaped", 1, 22)]
    public void A_report_of_ten_thousand_topics_has_at_most_9500_bytes_and_lists_the_heaviest(string names, int least, int most)
    {
        TopicLoad[] topics = [.. Enumerable.Range(0, 10_000).Select(i => Huge(Name(names, i), 1.0 / (i + 1)))];
        byte[] json = new LoadReportWriter().Write(Full(topics));
        Assert.InRange(json.Length, 1, LoadReportWriter.MaxBytes);
        using (JsonDocument.Parse(json))
        {
            Assert.True(LoadReportReader.TryRead(json, out LoadReport? report, out string? fault), fault);
            LongMode.Report(nameof(A_report_of_ten_thousand_topics_has_at_most_9500_bytes_and_lists_the_heaviest), $"{names} names: {json.Length} bytes, {report.Topics.Count} topics listed");
            Assert.InRange(report.Topics.Count, least, most);
            Assert.Equal(topics.Take(report.Topics.Count).Select(t => t.TopicName), report.Topics.Select(t => t.TopicName));
            Assert.Equal(10_000, report.TopicsLen);
            Assert.Equal(10_000 - report.Topics.Count, report.Rest.Topics);
            Assert.Equal(topics.Skip(report.Topics.Count).Sum(t => t.MessageRate), report.Rest.MessageRate);
            Assert.Equal(topics.Skip(report.Topics.Count).Sum(t => t.LoadShare), report.Rest.LoadShare, 5);
        }
    }

    [Fact]
    public void A_name_that_has_no_room_does_not_keep_others_out()
    {
        TopicLoad[] topics = [Huge("/a/" + new string('x', 9_400), 0.5), Huge("/a/b", 0.3)];
        Assert.True(LoadReportReader.TryRead(new LoadReportWriter().Write(Full(topics)), out LoadReport? report, out _));
        Assert.Equal(["/a/b"], report.Topics.Select(t => t.TopicName));
        Assert.Equal(0.5, report.Rest.LoadShare);
    }

    [Fact]
    public void Figures_that_are_no_numbers_do_not_spoil_the_report()
    {
        LoadReport report = Full([Huge("/a/b", double.NaN)]) with
        {
            ResourcesUsage = new Dictionary<ResourceType, double> { [ResourceType.Cpu] = double.NaN },
            PublishP99Ms = double.PositiveInfinity,
        };
        Assert.True(LoadReportReader.TryRead(new LoadReportWriter().Write(report), out LoadReport? read, out string? fault), fault);
        Assert.Null(read.GetResourceUsage(ResourceType.Cpu));
        Assert.Null(read.PublishP99Ms);
    }

    private static string Name(string kind, int i) => kind switch
    {
        "short" => $"/d/t{i}",
        "long" => $"/{new string('n', 255)}/{new string('t', 240)}-{i}",
        _ => $"/\u0001\"{new string('\u0007', 300)}/{i}",
    };

    private static TopicLoad Huge(string name, double share) => new()
    {
        TopicName = name,
        MessageRate = 1_234_567,
        ByteRate = 123_456_789,
        ByteRateMbps = 987.654321,
        ProducerCount = 1000,
        ConsumerCount = 1000,
        SubscriptionCount = 100,
        DiskSizeBytes = 123_456_789_012,
        WalSizeBytes = 123_456_789_012,
        CloudSizeBytes = 123_456_789_012,
        AvgLatencyMs = 12.3456,
        P99LatencyMs = 123.4567,
        OldestMessageAgeSec = 86_400,
        BacklogMessages = 123_456_789,
        OutByteRate = 123_456_789,
        LoadShare = share,
        StaysHere = true,
    };

    private static LoadReport Full(IReadOnlyList<TopicLoad> topics) => new()
    {
        BrokerId = long.MaxValue,
        Session = long.MaxValue,
        Timestamp = long.MaxValue,
        WindowMs = long.MaxValue,
        AssignmentsRevision = long.MaxValue,
        ResourcesUsage = ResourceNames.All.ToDictionary(r => r, _ => 123_456_789_012.3456),
        Unsupported = [.. ResourceNames.All],
        Capacity = new ResourceCapacity { Cores = 128, MemoryBytes = long.MaxValue, DiskBytes = long.MaxValue, FreeDiskBytes = long.MaxValue, DiskIoBytesPerSecond = 1e15, NetworkBytesPerSecond = 1e15, ThroughputMbps = 1e9 },
        TotalThroughputMbps = 1_234_567.1234,
        TotalDiskUsageGb = 1_234_567.123456789,
        TotalMessageRate = long.MaxValue,
        TotalOutMbps = 1_234_567.1234,
        TotalWalBytes = long.MaxValue,
        PublishP99Ms = 1234.5678,
        TopicsLen = topics.Count,
        Topics = topics,
    };

    private static LoadReport Sample() => new()
    {
        BrokerId = 1,
        Session = 77,
        Timestamp = 1_767_225_630,
        WindowMs = 30_000,
        AssignmentsRevision = 41,
        ResourcesUsage = new Dictionary<ResourceType, double> { [ResourceType.NetworkIo] = 2_500_000, [ResourceType.Cpu] = 12.5, [ResourceType.Memory] = 100 / 3.0 },
        Unsupported = [ResourceType.DiskIo],
        Capacity = new ResourceCapacity { Cores = 4, MemoryBytes = 8_192_000_000, DiskBytes = 100_000_000_000, FreeDiskBytes = 60_000_000_000, NetworkBytesPerSecond = 250_000_000 },
        TotalThroughputMbps = 8,
        TotalDiskUsageGb = 1.5,
        TotalMessageRate = 1000,
        TotalOutMbps = 16,
        TotalWalBytes = 1_000_000_000,
        PublishP99Ms = 0.42,
        TopicsLen = 2,
        Topics = [Busy, new TopicLoad { TopicName = "/default/held", LoadShare = 0.0123457, StaysHere = true }],
    };

    private static string Golden(string name) => File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "golden", name + ".json")).TrimEnd();
}
