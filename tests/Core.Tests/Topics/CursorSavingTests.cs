using Danube.Fast.Protocol;

namespace Danube.Fast.Core.Tests;

/// <summary>How often a long cursor is saved, and that nothing of it is lost for that.</summary>
public sealed class CursorSavingTests
{
    private const int Records = 400_000;

    [Fact]
    public async Task A_long_cursor_is_saved_as_often_as_its_length_allows_and_always_at_the_end()
    {
        (Rig rig, Subscription subscription, Consumer consumer) = await NackedAsync();
        rig.Topic.FlushCursors();
        byte[] first = rig.Cursors.Load(7, "s")!;

        // A range is four bytes, so the whole takes most of a second's share of 1 MiB.
        Assert.InRange(first.Length, Records / 2 * 4, 1024 * 1024);
        Rig.Ack(consumer, subscription, (0, 1));
        rig.Time.Advance(TimeSpan.FromMilliseconds((first.Length * 1000L / (1024 * 1024)) - 1));
        rig.Topic.FlushCursors();
        Assert.Same(first, rig.Cursors.Load(7, "s"));
        rig.Time.Advance(TimeSpan.FromMilliseconds(2));
        rig.Topic.FlushCursors();
        byte[] second = rig.Cursors.Load(7, "s")!;
        Assert.NotSame(first, second);

        Rig.Ack(consumer, subscription, (2, 1));
        rig.Topic.FlushCursors();
        Assert.Same(second, rig.Cursors.Load(7, "s"));
        rig.Topic.Close(ErrorCode.Draining, "restart");
        Assert.NotSame(second, rig.Cursors.Load(7, "s"));

        var after = new Rig(log: rig.Log.Reopen(Records), cursors: rig.Cursors);
        subscription = await after.SubscribeAsync(SubscriptionType.Shared);
        Assert.Equal((1, Records - 2L), (subscription.MarkDelete, subscription.Backlog));
        Assert.Equal([0, 0, 0, 1, 0, 1, 0, 1], Rig.Range(1, 9).Select(o => (int)subscription.Cursor.Redeliveries.At(o, out _)));
        Assert.Equal((Records / 2) - 2, subscription.Cursor.Redeliveries.Count);
    }

    /// <summary>Every second record of a window was given back.</summary>
    private static async Task<(Rig Rig, Subscription Subscription, Consumer Consumer)> NackedAsync()
    {
        var rig = new Rig();
        Subscription subscription = await rig.SubscribeAsync(SubscriptionType.Shared);
        Consumer consumer = Rig.Attach(subscription, new RecordingSink());
        for (int i = 0; i < Records / 50_000; i++)
        {
            rig.Publish(50_000);
        }

        Rig.Credit(consumer, subscription, Records);
        var ranges = new (long, uint)[4000];
        for (int i = 0; i < Records / 2; i += ranges.Length)
        {
            for (int j = 0; j < ranges.Length; j++)
            {
                ranges[j] = (2 * (i + j), 1);
            }

            Assert.Equal(ErrorCode.None, Rig.Nack(consumer, subscription, 60_000, ranges));
        }

        return (rig, subscription, consumer);
    }
}
