using System.Diagnostics;

namespace Danube.Fast.Client;

/// <summary>
/// Open batches: which one takes a message, and when they close. There is one, or when the producer batches by key one for each of the latest keys.
/// Always: closed and open batches together are at most <see cref="BatchWindow.MaxBatches"/>, so that an open one can close at any time.
/// Under <c>_gate</c>.
/// </summary>
internal sealed partial class PartitionProducer
{
    private readonly KeyBatches? _keyed;
    private Batch? _open;

    /// <summary>The batch that takes a record of this length; null when the window is full.</summary>
    private Batch? RoomFor(long recordLength, FrameTiming timing, Activity? context, bool hasKey, ReadOnlySpan<byte> key)
    {
        Batch? batch = _keyed is null ? _open : _keyed.Find(hasKey, key);
        return batch is not null && batch.Length + recordLength <= _maxBatchBytes && batch.Count < _options.MaxBatchRecords && batch.Timing == timing && batch.Context == context
            ? batch
            : OpenNext(batch, recordLength, timing, context);
    }

    /// <summary>Closes <paramref name="former"/>, to keep the order of its messages, and opens the next batch.</summary>
    private Batch? OpenNext(Batch? former, long recordLength, FrameTiming timing, Activity? context)
    {
        CheckLength(recordLength);
        if (former is not null)
        {
            Close(former);
        }

        if (_keyed is { Count: KeyBatches.MaxOpen })
        {
            Close(_keyed.First);
        }

        long reserved = Math.Max(FrameOverhead + recordLength, _maxBatchBytes);
        if (!HasRoom(reserved))
        {
            // Closed ones take what they hold, not what they might.
            CloseOpen();
            if (!HasRoom(reserved))
            {
                return null;
            }
        }

        Batch batch = _batches.Rent();
        batch.Timing = timing;
        batch.Context = context;
        batch.Reserved = reserved;
        if (_keyed is null)
        {
            _open = batch;
        }
        else
        {
            _keyed.Add(batch);
        }

        return batch;
    }

    private bool HasRoom(long bytes)
    {
        int count = _window.Count + (_keyed?.Count ?? 0);
        return count == 0 || (count < BatchWindow.MaxBatches && _window.Bytes + (_keyed?.Reserved ?? 0) + bytes <= _windowLimit);
    }

    private void Appended()
    {
        _appended++;
        CloseIfIdle();
    }

    /// <summary>Lets the open batches go when so few are on the way that waiting would only cost time.</summary>
    private void CloseIfIdle()
    {
        if (_window.Count < _options.MaxPartialBatches && _state == ProducerState.Open)
        {
            CloseOpen();
        }
    }

    private void CloseOpen()
    {
        if (_open is { Count: > 0 } batch)
        {
            Close(batch);
        }

        while (_keyed is { Count: > 0 })
        {
            Close(_keyed.First);
        }
    }

    /// <summary>Gives the batch its sequences and its place in the window.</summary>
    private void Close(Batch batch)
    {
        if (batch == _open)
        {
            _open = null;
        }
        else if (batch.Large is null)
        {
            _keyed!.Remove(batch);
        }

        batch.FirstSequence = _nextSequence;
        _nextSequence += (uint)batch.Count;
        _window.Add(batch);
        ClosedBatches++;
    }
}
