namespace Danube.Fast.Core.Tests;

/// <summary>A consumer that takes everything and never acknowledges.</summary>
public sealed class SilentConsumerTests
{
    [Fact]
    public async Task What_was_overwritten_is_no_longer_held_as_in_flight()
    {
        var log = new MemoryTopicLog(1, DurabilityClass.Memory, 1, new LogRetention(0, 256 * 1024));
        var topic = new Topic("/t/m", log, new MemoryCursorStore(), new TopicOptions(), TimeProvider.System);
        Subscription subscription = await topic.OpenSubscriptionAsync(new SubscriptionSpec("s", SubscriptionType.Exclusive, StartPosition.Earliest), CancellationToken.None);
        Consumer consumer = Rig.Attach(subscription, new RecordingSink());
        Rig.Credit(consumer, subscription, 1_000_000);
        Producer producer = topic.AttachProducer(1, 0, 1, new RecordingSink());
        for (int i = 0; i < 1000; i++)
        {
            topic.Publish(producer, Frames.Build(1, (ulong)(i * 10) + 1, 10, 200));
            Rig.Settle(subscription);
        }

        Assert.Equal(10_000ul, consumer.SelectedInAll);
        Assert.True(consumer.InFlight.Count <= (log.Committed - log.LogStart) / 10 + 1, $"{consumer.InFlight.Count} ranges are held.");
    }
}
