namespace Danube.Fast.Core.Tests;

public sealed class NameTests
{
    [Theory]
    [InlineData("/a/b", "a", "b", -1)]
    [InlineData("/Some.Name_1/x-y", "Some.Name_1", "x-y", -1)]
    [InlineData("/a/b-part-3", "a", "b-part-3", 3)]
    [InlineData("/a/b-part-x", "a", "b-part-x", -1)]
    [InlineData("/a/-part-3", "a", "-part-3", -1)]
    public void Good_names(string text, string ns, string name, int partition)
    {
        Assert.True(TopicName.TryParse(text, out TopicName? parsed));
        Assert.Equal((text, ns, name, partition), (parsed.ToString(), parsed.Namespace, parsed.Name, parsed.Partition));
        Assert.Equal(text + "-part-2", parsed.PartitionTopic(2));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("a/b")]
    [InlineData("/a")]
    [InlineData("/a/")]
    [InlineData("//b")]
    [InlineData("/a/b/c")]
    [InlineData("/a/b c")]
    [InlineData("/a/ä")]
    public void Bad_names(string? text) => Assert.False(TopicName.TryParse(text, out _));

    [Fact]
    public void A_part_has_a_limit()
    {
        Assert.True(TopicName.TryParse("/a/" + new string('x', 255), out _));
        Assert.False(TopicName.TryParse("/a/" + new string('x', 256), out _));
    }

    [Theory]
    [InlineData("earliest")]
    [InlineData("latest")]
    [InlineData("offset:0")]
    [InlineData("offset:12345678901")]
    [InlineData("time:1700000000000000")]
    public void Start_positions_read_and_print_alike(string text)
    {
        Assert.True(StartPosition.TryParse(text, out StartPosition start));
        Assert.Equal(text, start.ToString());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("Earliest")]
    [InlineData("offset")]
    [InlineData("offset:")]
    [InlineData("offset:-1")]
    [InlineData("offset: 1")]
    [InlineData("offset:99999999999999999999")]
    [InlineData("page:1")]
    public void Other_start_positions_are_refused(string? text) => Assert.False(StartPosition.TryParse(text, out _));

    [Fact]
    public void Persisted_values_are_pinned()
    {
        Assert.Equal([0, 1, 2, 3], Enum.GetValues<SubscriptionType>().Select(t => (int)t));
        Assert.Equal(["exclusive", "shared", "failover", "key_shared"], Enum.GetValues<SubscriptionType>().Select(SubscriptionTypes.Name));
        Assert.Equal(["Memory", "Os", "Fsync", "Object"], Enum.GetValues<DurabilityClass>().Order().Select(d => d.ToString()));
        foreach (SubscriptionType type in Enum.GetValues<SubscriptionType>())
        {
            Assert.True(SubscriptionTypes.TryParse(SubscriptionTypes.Name(type), out SubscriptionType parsed));
            Assert.Equal(type, parsed);
        }

        Assert.False(SubscriptionTypes.TryParse("exklusive", out _));
        Assert.False(SubscriptionTypes.TryParse(null, out _));
    }
}
