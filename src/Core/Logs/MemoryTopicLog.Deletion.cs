namespace Danube.Fast.Core;

// Giving up the front on request, and how much lies behind an offset.
public sealed partial class MemoryTopicLog
{
    /// <summary>Done when it returns. The chunk that is being filled stays until the next one is begun.</summary>
    public override void DeleteBelow(long offset)
    {
        lock (AppendLock)
        {
            lock (_chainLock)
            {
                long start = Math.Min(offset, _committed);
                if (start <= _logStart || _closed)
                {
                    return;
                }

                while (_chain.Count > 1 && _chain[0].EndOffset <= start)
                {
                    DropOldest();
                }

                Volatile.Write(ref _logStart, start);
            }
        }

        Observer?.OnLogStart(this);
    }

    public override long BytesFrom(long offset)
    {
        lock (_chainLock)
        {
            offset = Math.Max(offset, _logStart);
            if (_closed || offset >= Committed)
            {
                return 0;
            }

            int at = ChunkOf(offset);
            MemoryChunk first = _chain[at];
            long end = at + 1 < _chain.Count ? _chain[at + 1].BaseOffset : Committed;
            long bytes = (long)((double)first.Length * (end - offset) / (end - first.BaseOffset));
            for (int i = at + 1; i < _chain.Count; i++)
            {
                bytes += _chain[i].Length;
            }

            return bytes;
        }
    }

    // Under both locks.
    private void DropOldest()
    {
        MemoryChunk oldest = _chain[0];
        _chain.RemoveAt(0);
        _sizeBytes -= oldest.Length;
        Volatile.Write(ref _logStart, Math.Max(_logStart, oldest.EndOffset));
        oldest.Release();
    }
}
