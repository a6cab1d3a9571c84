using Danube.Fast.Client;
using Danube.Fast.Protocol;

namespace Danube.Fast.EndToEnd.Tests.KillLoop;

/// <summary>The auditor of one subscription on one log: what its consumers were given and have acknowledged. Shared with: consumers and the test's thread.</summary>
internal sealed class CursorLedger(LoadTopic topic, TopicLedger log, string subscription)
{
    private const int LeaveOneOf = 50;

    private readonly Lock _lock = new();
    private readonly OffsetSet _acknowledged = new();
    private readonly OffsetSet _received = new();
    private OffsetSet _receivedLast = new();
    private uint _epoch;

    /// <summary>Deliveries of offsets that had come before.</summary>
    public long Redelivered { get; private set; }

    public long AcknowledgedCount
    {
        get
        {
            lock (_lock)
            {
                return _acknowledged.Count;
            }
        }
    }

    /// <summary>Takes a delivery; true when it is to be acknowledged. Another round leaves other messages, so that what is left comes to an end.</summary>
    public bool OnReceived(in Message message, int round)
    {
        log.OnDelivered(message.Offset, message.Payload.Span);
        lock (_lock)
        {
            Redelivered += _received.Add(message.Offset) ? 0 : 1;
            bool leave = (message.Offset + (7L * round)) % LeaveOneOf == 0;
            if (!leave)
            {
                _acknowledged.Add(message.Offset);
            }

            return !leave;
        }
    }

    /// <summary>After a restart: the cursor stands behind nothing that was not acknowledged, and counts no more than that as acknowledged.</summary>
    public async Task AuditAsync(DanubeClient client)
    {
        TopicInfo info = await client.DescribeTopicAsync(log.Log);
        SubscriptionInfo? cursor = info.Subscriptions.SingleOrDefault(s => s.Name == subscription);
        if (cursor is null)
        {
            Assert.True(_epoch == 0, $"{log.Log}: the subscription is gone");
            return;
        }

        lock (_lock)
        {
            Assert.True(cursor.Epoch >= _epoch, $"{log.Log}: the subscription's epoch {cursor.Epoch} was {_epoch} before");
            _epoch = cursor.Epoch;
            if (log.TakePurgeInDoubt())
            {
                for (long offset = info.LogStart; offset < cursor.MarkDelete; offset++)
                {
                    _acknowledged.Add(offset);
                }
            }

            long left = _acknowledged.FirstMissing(info.LogStart);
            Assert.True(cursor.MarkDelete <= left, $"{log.Log}: offset {left} was never acknowledged and the cursor stands at {cursor.MarkDelete}");
            bool isWhole = !topic.IsPurged && topic.RetentionBytes == 0;
            Assert.True(
                !isWhole || cursor.Backlog >= info.DurableEnd - _acknowledged.Count,
                $"{log.Log}: {_acknowledged.Count} of {info.DurableEnd} messages were acknowledged, and only {cursor.Backlog} are left");
        }
    }

    /// <summary>The last round: from now on everything is taken and acknowledged.</summary>
    public void BeginLast()
    {
        lock (_lock)
        {
            _receivedLast = new OffsetSet();
        }
    }

    public void OnReceivedLast(in Message message)
    {
        log.OnDelivered(message.Offset, message.Payload.Span);
        lock (_lock)
        {
            _receivedLast.Add(message.Offset);
        }
    }

    /// <summary>Offsets that were neither acknowledged nor received in the last round.</summary>
    public long Missing()
    {
        lock (_lock)
        {
            return _acknowledged.MissingIn(log.LogStart, log.StoredCount, _receivedLast);
        }
    }
}
