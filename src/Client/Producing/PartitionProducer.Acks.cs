using Danube.Fast.Protocol;

namespace Danube.Fast.Client;

/// <summary>Acknowledgements: batches leave the window in order, their senders get ids, waiting messages get room.</summary>
internal sealed partial class PartitionProducer
{
    public override void OnPublishAck(Connection connection, ReadOnlySpan<byte> frame)
    {
        var ack = new PublishAckFrame(frame);
        Batch? first = null, last = null;
        OperationList posts;
        List<FlushWaiter>? flushes;
        bool pump, good = true;
        using (_gate.Enter())
        {
            if (_state != ProducerState.Open || _connection != connection || _channel != ack.Channel)
            {
                return;
            }

            for (int i = 0; i < ack.Count && good; i++)
            {
                good = TrySettle(ack[i].Sequence, ack[i].Offset, ref first, ref last);
            }

            posts = AdmitWaiters();
            CloseIfIdle();
            flushes = _flushes.Count == 0 ? null : TakeFlushes(_settled);
            pump = TryTakePump();
        }

        Deliver(first, ack.Generation);
        CompletePosts(posts);
        Complete(flushes);
        if (!good)
        {
            connection.Close(new DanubeException(ErrorCode.BadPayload, $"The broker acknowledged a sequence of {Topic} that does not begin a batch on its way; the connection is made again."));
        }
        else if (pump)
        {
            Pump(InlineBatches);
        }
    }

    private bool TrySettle(ulong sequence, long offset, ref Batch? first, ref Batch? last)
    {
        // Below the window: acknowledged twice, which a resend can bring about.
        if (sequence <= _ackedSequence)
        {
            return true;
        }

        // Right after a reopening the broker may acknowledge what it had stored before the resend arrives.
        if (_window.Count == 0 || _window[0].FirstSequence != sequence)
        {
            return false;
        }

        Batch batch = _window.RemoveFirst();
        batch.FirstOffset = offset;
        _ackedSequence = batch.LastSequence;
        _settled += batch.Count;
        if (last is null)
        {
            first = batch;
        }
        else
        {
            last.Next = batch;
        }

        last = batch;
        return true;
    }

    private void Deliver(Batch? batch, uint generation)
    {
        for (Batch? next; batch is not null; batch = next)
        {
            next = batch.Next;
            Tell(batch);

            SendOperation? operation = batch.Operations.First;
            for (SendOperation? following; operation is not null; operation = following)
            {
                following = operation.Next;
                operation.Complete(new MessageId(Partition, generation, batch.FirstOffset + operation.RecordIndex));
            }

            batch.Release();
        }
    }

    private void Tell(Batch batch)
    {
        try
        {
            _options.OnAcknowledged?.Invoke(new BatchAck(Partition, batch.FirstOffset, batch.Count, batch.FirstSequence, batch.OpenedTimestamp, batch.SentTimestamp));
        }
        catch (Exception)
        {
            // A defect of the listener must not keep the senders of this batch waiting.
        }
    }

    private static void CompletePosts(OperationList posts)
    {
        SendOperation? operation = posts.First;
        for (SendOperation? following; operation is not null; operation = following)
        {
            following = operation.Next;
            operation.Complete(default);
        }
    }
}
