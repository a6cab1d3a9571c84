namespace Danube.Fast.Client;

/// <summary>The closed batches of one producer that are not settled yet, oldest first. Under the producer's lock.</summary>
internal sealed class BatchWindow
{
    /// <summary>At most as many as the broker remembers for recognising resends, so that every resend is answered with its original offset.</summary>
    public const int MaxBatches = 64;

    private readonly Batch?[] _ring = new Batch?[MaxBatches];
    private int _head;

    public int Count { get; private set; }
    public bool IsFull => Count == MaxBatches;

    /// <summary>Bytes of the batches before compression.</summary>
    public long Bytes { get; private set; }

    /// <summary>How many of them, from the oldest on, have been handed to the present connection.</summary>
    public int Sent { get; set; }

    public Batch this[int index] => _ring[(_head + index) % MaxBatches]!;

    public void Add(Batch batch)
    {
        _ring[(_head + Count) % MaxBatches] = batch;
        Count++;
        Bytes += batch.Length;
    }

    public Batch RemoveFirst()
    {
        Batch batch = _ring[_head]!;
        _ring[_head] = null;
        _head = (_head + 1) % MaxBatches;
        Forget(batch);
        return batch;
    }

    /// <summary>Takes a refused batch out; the later ones move up and take over its sequences.</summary>
    public Batch RemoveAt(int index)
    {
        Batch batch = this[index];
        for (int i = index; i < Count - 1; i++)
        {
            Batch later = this[i + 1];
            later.FirstSequence -= (uint)batch.Count;
            _ring[(_head + i) % MaxBatches] = later;
        }

        _ring[(_head + Count - 1) % MaxBatches] = null;
        Forget(batch);
        return batch;
    }

    /// <summary>All take over sequences that were in front of them.</summary>
    public void MoveUp(ulong sequences)
    {
        for (int i = 0; i < Count; i++)
        {
            this[i].FirstSequence -= sequences;
        }
    }

    /// <summary>Index of the sent batch that starts with <paramref name="sequence"/>, -1 when there is none.</summary>
    public int FindSent(ulong sequence)
    {
        for (int i = 0; i < Sent; i++)
        {
            if (this[i].FirstSequence == sequence)
            {
                return i;
            }
        }

        return -1;
    }

    private void Forget(Batch batch)
    {
        Count--;
        Sent = Math.Max(0, Sent - 1);
        Bytes -= batch.Length;
    }
}
