namespace Danube.Fast.LoadManager.Tests;

/// <summary>The queries of the documents' step 7.</summary>
public sealed class LoadReportQueryTests
{
    // 1 MB/s, 5 connections, 1 GB, 50 ms.
    private static readonly TopicLoad Vector = new() { TopicName = "/default/test", ByteRate = 1_000_000, ProducerCount = 2, ConsumerCount = 3, DiskSizeBytes = 1_000_000_000, P99LatencyMs = 50 };

    [Fact]
    public void The_score_of_the_vector_is_2_15() => Assert.Equal(2.15, Vector.EstimatedLoadScore, 12);

    [Fact]
    public void An_empty_report_has_answers()
    {
        var report = new LoadReport();
        Assert.Null(report.GetResourceUsage(ResourceType.Cpu));
        Assert.Null(report.GetTopicByName("/default/test"));
        Assert.Empty(report.GetHeaviestTopics(3));
        Assert.Empty(report.GetLightestTopics(3));
        Assert.Equal(0, report.TotalLoadScore());
    }

    [Fact]
    public void Heaviest_and_lightest_are_by_score_and_equal_ones_by_name()
    {
        TopicLoad light = new() { TopicName = "/b/z", ProducerCount = 1 };
        var report = new LoadReport { Topics = [light, Vector with { TopicName = "/b/y" }, light with { TopicName = "/b/a" }, Vector, light with { TopicName = "/b/m" }] };
        Assert.Equal(["/b/y", "/default/test", "/b/a"], report.GetHeaviestTopics(3).Select(t => t.TopicName));
        Assert.Equal(["/b/a", "/b/m", "/b/z", "/b/y"], report.GetLightestTopics(4).Select(t => t.TopicName));
        Assert.Equal(5, report.GetHeaviestTopics(99).Count);
        Assert.Equal((2 * 2.15) + (3 * 0.3), report.TotalLoadScore(), 12);
        Assert.Same(Vector, report.GetTopicByName("/default/test"));
    }
}
