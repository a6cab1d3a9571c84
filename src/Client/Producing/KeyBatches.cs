namespace Danube.Fast.Client;

/// <summary>The open batches of a producer that batches by key, oldest first; those of messages without key share one. Under the producer's lock.</summary>
internal sealed class KeyBatches
{
    /// <summary>More keys at once close the oldest batch. Small against the window, and a search through all of them stays cheap.</summary>
    public const int MaxOpen = 16;

    private readonly Batch[] _open = new Batch[MaxOpen];

    public int Count { get; private set; }
    public Batch First => _open[0];

    /// <summary>Bytes of the window that the open batches may take.</summary>
    public long Reserved { get; private set; }

    public Batch? Find(bool hasKey, ReadOnlySpan<byte> key)
    {
        ulong hash = hasKey ? Protocol.KeyHash.Compute(key) : 0;
        for (int i = 0; i < Count; i++)
        {
            if (_open[i].IsOfKey(hasKey, hash, key))
            {
                return _open[i];
            }
        }

        return null;
    }

    public void Add(Batch batch)
    {
        _open[Count++] = batch;
        Reserved += batch.Reserved;
    }

    public void Remove(Batch batch)
    {
        int at = Array.IndexOf(_open, batch, 0, Count);
        Count--;
        _open.AsSpan(at + 1, Count - at).CopyTo(_open.AsSpan(at));
        _open[Count] = null!;
        Reserved -= batch.Reserved;
    }
}
