using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Tests;

public sealed class PartitionLeftoverTests
{
    [Fact]
    public async Task Messages_of_a_half_deleted_topic_do_not_come_back_with_a_new_one_of_the_name()
    {
        using var folder = new TempFolder();
        var spec = new TopicSpec { Topic = "/a/p", Partitions = 2, Durability = "os" };
        await using (TestBroker broker = await TestBroker.StartAsync(folder: folder.Path))
        {
            using RawClient client = await broker.HelloAsync();
            await client.RequestAsync(Commands.CreateTopic, spec, ControlJson.Default.TopicSpec);
            CreateProducerReply producer = await client.CreateProducerAsync("/a/p-part-1", durability: null);
            await client.SendAsync(Frames.Publish(producer, 1, "old"u8.ToArray()));
            await client.ReceiveAsync(FrameType.PublishAck);
        }

        await using (Metadata.EmbeddedMetadataStore store = Metadata.EmbeddedMetadataStore.Open(Path.Combine(folder.Path, "metadata")))
        {
            // As after a crash in a delete: the base is gone, its partitions are not.
            await store.DeleteAsync("/topics/a/p");
        }

        await using TestBroker again = await TestBroker.StartAsync(folder: folder.Path);
        using RawClient reader = await again.HelloAsync();
        await reader.RequestAsync(Commands.CreateTopic, spec, ControlJson.Default.TopicSpec);
        ReceivedFrame described = await reader.RequestAsync(Commands.DescribeTopic, new TopicRequest { Topic = "/a/p-part-1" }, ControlJson.Default.TopicRequest);
        Assert.Equal(0, described.Payload(ControlJson.Default.TopicInfo).CommittedEnd);
    }
}
