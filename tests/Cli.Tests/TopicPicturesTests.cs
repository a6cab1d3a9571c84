using Danube.Fast.Cli.Topics;
using Danube.Fast.Protocol;

namespace Danube.Fast.Cli.Tests;

/// <summary>Topics as text.</summary>
public sealed class TopicPicturesTests
{
    [Theory]
    [InlineData("not_open")]
    [InlineData("not_owner")]
    [InlineData("topic_waiting")]
    public void A_topic_whose_log_nobody_has_looked_at_does_not_look_empty(string state)
    {
        var output = new StringWriter();
        TopicPictures.List(output,
        [
            new TopicInfo { Topic = "/a/closed", Durability = "fsync", Partitions = 1, State = state },
            new TopicInfo { Topic = "/a/empty", Durability = "fsync", Partitions = 1 },
            new TopicInfo { Topic = "/a/open", Durability = "fsync", Partitions = 1, LogStart = 2, DurableEnd = 7, CommittedEnd = 8, SizeBytes = 900 },
        ]);
        string[][] rows = [.. output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries))];
        Assert.Equal(["/a/closed", "fsync", "1", "-", "-", "-", "0", state], rows[0]);
        Assert.Equal(["/a/empty", "fsync", "1", "0", "0", "0", "0", "ok"], rows[1]);
        Assert.Equal(["/a/open", "fsync", "1", "2", "7", "900", "0", "ok"], rows[2]);
    }
}
