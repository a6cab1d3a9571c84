using Danube.Fast.Client;
using Danube.Fast.Protocol;

namespace Danube.Fast.EndToEnd.Tests.KillLoop;

/// <summary>Moves a subscription without consumers to and fro. After a kill it stands where the last answered seek has put it, or where the one in doubt was to put it.</summary>
internal sealed class CursorMoves(TopicLedger log)
{
    private const string Subscription = "moved";

    private long? _inDoubt;
    private long _place;
    private uint _epoch;
    private bool _exists;

    public int Seeks { get; private set; }

    /// <summary>Until the broker dies.</summary>
    public async Task RunAsync(DanubeClient client, Random random, CancellationToken cancellation)
    {
        try
        {
            if (!_exists)
            {
                await using Consumer consumer = await client.SubscribeAsync(new ConsumerOptions { Topic = log.Log, Subscription = Subscription, Start = "earliest", CreditRecords = 1 }, cancellation);
                _exists = true;
            }

            while (true)
            {
                _inDoubt = random.NextInt64(log.StoredCount + 1);
                SeekReply reply = await client.SeekAsync(log.Log, Subscription, "offset:" + _inDoubt, cancellation);
                Assert.Equal(_inDoubt, reply.MarkDelete);
                (_place, _inDoubt, _epoch) = (reply.MarkDelete, null, reply.SubscriptionEpoch);
                Seeks++;
            }
        }
        catch (Exception e) when (e is OperationCanceledException or DanubeException)
        {
            // The round is over.
        }
    }

    public async Task AuditAsync(DanubeClient client)
    {
        SubscriptionInfo? cursor = (await client.DescribeTopicAsync(log.Log)).Subscriptions.SingleOrDefault(s => s.Name == Subscription);
        if (cursor is null)
        {
            Assert.False(_exists, $"{log.Log}: the subscription '{Subscription}' is gone");
            return;
        }

        Assert.True(cursor.MarkDelete == _place || cursor.MarkDelete == _inDoubt, $"{log.Log}: the subscription stands at {cursor.MarkDelete}; it was sought to {_place} and then, without an answer, to {_inDoubt}");
        Assert.True(cursor.Epoch >= _epoch, $"{log.Log}: the subscription's epoch is {cursor.Epoch} after {_epoch}");
        (_place, _inDoubt, _epoch, _exists) = (cursor.MarkDelete, null, cursor.Epoch, true);
    }
}
