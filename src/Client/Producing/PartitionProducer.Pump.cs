namespace Danube.Fast.Client;

/// <summary>
/// The pump: seals closed batches outside the lock and hands them to the connection in order. One thread at a time has it (<c>_pumping</c>).
/// No wake-up is lost: whoever closes a batch or opens the channel tries to take the pump under the lock afterwards, and the pump gives itself
/// back only under the lock when there is nothing to send.
/// </summary>
internal sealed partial class PartitionProducer
{
    // A sender sends its own batch and perhaps one more; what others add meanwhile is not its work.
    private const int InlineBatches = 2;

    /// <summary>The rest of a long run, on the pool.</summary>
    void IThreadPoolWorkItem.Execute() => Pump(int.MaxValue);

    private bool TryTakePump()
    {
        bool due = !_pumping && _state == ProducerState.Open && _window.Sent < _window.Count;
        _pumping |= due;
        return due;
    }

    private void PumpIfDue()
    {
        bool pump;
        using (_gate.Enter())
        {
            pump = TryTakePump();
        }

        if (pump)
        {
            Pump(InlineBatches);
        }
    }

    private void Pump(int batches)
    {
        for (; batches > 0; batches--)
        {
            if (!TryTakeUnsent(out Batch? batch, out Connection? connection, out ulong sequence, out uint channel))
            {
                return;
            }

            batch!.Seal(_producerId, sequence, channel, _options.Compression, Link.Options.TimeProvider);
            HandOver(batch, connection!, sequence, channel);
            connection!.Sends.Flush();
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    private bool TryTakeUnsent(out Batch? batch, out Connection? connection, out ulong sequence, out uint channel)
    {
        using (_gate.Enter())
        {
            batch = null;
            connection = _connection;
            channel = _channel;
            sequence = 0;
            if (_state != ProducerState.Open || _window.Sent == _window.Count)
            {
                _pumping = false;
                return false;
            }

            // Held until it is handed over, so that a fault does not recycle it while it is being sealed.
            batch = _window[_window.Sent];
            batch.AddReference();
            sequence = batch.FirstSequence;
            return true;
        }
    }

    /// <summary>Queues the sealed batch, unless the channel or its sequence changed meanwhile: then the next round seals it again.</summary>
    private void HandOver(Batch batch, Connection connection, ulong sequence, uint channel)
    {
        using (_gate.Enter())
        {
            if (_state == ProducerState.Open && _connection == connection && _channel == channel
                && _window.Sent < _window.Count && _window[_window.Sent] == batch && batch.FirstSequence == sequence)
            {
                // A closed connection takes nothing; the loss will be told soon and the batch is sent on the next one.
                connection.Sends.TryEnqueue(batch);
                _window.Sent++;
            }
        }

        batch.Release();
    }
}
