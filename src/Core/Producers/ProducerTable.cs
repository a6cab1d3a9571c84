namespace Danube.Fast.Core;

/// <summary>Verdict on the sequence of a frame.</summary>
public enum SequenceVerdict
{
    Accept,

    /// <summary>A resend of a stored frame: acknowledge with the original offset when that is durable.</summary>
    Duplicate,

    /// <summary>Not the next sequence.</summary>
    Gap,

    /// <summary>Overlaps stored frames without repeating one exactly, or repeats one too old to be remembered.</summary>
    Mismatch,
}

/// <summary>
/// Idempotence of one topic: producer id -> last sequence, its offset, and the last <see cref="ProducerEntry.MaxFrames"/> frames.
/// Sequences start at 1. Runs on: publishers under the log's append lock; the opening thread during recovery.
/// </summary>
public sealed class ProducerTable
{
    /// <summary>Producers kept per topic; the longest idle are dropped beyond it.</summary>
    public const int MaxProducers = 100_000;

    /// <summary>Entries idle for longer are dropped: 7 days in microseconds.</summary>
    public const long MaxIdleMicros = 7L * 24 * 3600 * 1_000_000;

    private readonly Dictionary<ulong, ProducerEntry> _entries = [];

    public int Count => _entries.Count;

    /// <summary>Entries dropped so far because they were idle or too many.</summary>
    public long Dropped { get; private set; }

    internal IEnumerable<KeyValuePair<ulong, ProducerEntry>> Entries => _entries;

    /// <summary>Last stored sequence of a producer, 0 when it is unknown.</summary>
    public ulong LastSequence(ulong producerId) => _entries.TryGetValue(producerId, out ProducerEntry? entry) ? entry.LastSequence : 0;

    /// <summary>
    /// Attaches a producer: an unknown one is entered, and the next expected sequence becomes at least
    /// <paramref name="lastSequence"/> + 1 (what the client knows to be acknowledged; 0 for a new client).
    /// </summary>
    public ulong Attach(ulong producerId, ulong lastSequence, long nowMicros)
    {
        ProducerEntry entry = GetOrAdd(producerId, nowMicros);
        entry.SetBaseline(lastSequence);
        return entry.LastSequence;
    }

    /// <summary>Judges a frame. <paramref name="originalOffset"/> is set for a duplicate.</summary>
    public SequenceVerdict Check(ulong producerId, ulong sequence, uint count, out long originalOffset)
    {
        originalOffset = -1;
        if (_entries.TryGetValue(producerId, out ProducerEntry? entry))
        {
            SequenceVerdict verdict = entry.Check(sequence, count, out ProducerEntry.FrameMark original);
            originalOffset = original.Offset;
            return verdict;
        }

        return sequence == 1 ? SequenceVerdict.Accept : sequence == 0 ? SequenceVerdict.Mismatch : SequenceVerdict.Gap;
    }

    /// <summary>
    /// The entry of an attached producer. It is entered again when it was dropped as idle: what the producer has stored
    /// (<paramref name="lastSequence"/>) stays its baseline. Valid until the append lock is left.
    /// </summary>
    internal ProducerEntry Open(ulong producerId, ulong lastSequence, long nowMicros)
    {
        ProducerEntry entry = GetOrAdd(producerId, nowMicros);
        entry.SetBaseline(lastSequence);
        return entry;
    }

    /// <summary>Enters a frame that was appended (or is replayed in offset order during recovery).</summary>
    /// <param name="producerId">Its producer.</param>
    /// <param name="sequence">Of its first record.</param>
    /// <param name="count">Its records.</param>
    /// <param name="offset">Of its first record.</param>
    /// <param name="timeMicros">Append time, Unix microseconds.</param>
    /// <param name="generation">Of the frame; 0 = not known. It goes back to the producer when it sends the frame again.</param>
    public void Record(ulong producerId, ulong sequence, uint count, long offset, long timeMicros, uint generation = 0)
    {
        ProducerEntry entry = GetOrAdd(producerId, timeMicros);
        entry.LastUsedMicros = Math.Max(entry.LastUsedMicros, timeMicros);
        entry.Record(sequence, count, offset, generation);
    }

    /// <summary>Drops entries idle since before <paramref name="nowMicros"/> - <see cref="MaxIdleMicros"/>.</summary>
    public void DropIdle(long nowMicros)
    {
        foreach ((ulong id, ProducerEntry entry) in _entries)
        {
            if (nowMicros - entry.LastUsedMicros > MaxIdleMicros && _entries.Remove(id))
            {
                Dropped++;
            }
        }
    }

    internal void Restore(ulong producerId, ProducerEntry entry) => _entries[producerId] = entry;

    private ProducerEntry GetOrAdd(ulong producerId, long nowMicros)
    {
        if (_entries.TryGetValue(producerId, out ProducerEntry? entry))
        {
            return entry;
        }

        if (_entries.Count >= MaxProducers)
        {
            DropOldest();
        }

        entry = new ProducerEntry { LastUsedMicros = nowMicros };
        _entries.Add(producerId, entry);
        return entry;
    }

    // A tenth at once, so that the scan is paid once per many new producers.
    private void DropOldest()
    {
        foreach (ulong id in _entries.OrderBy(e => e.Value.LastUsedMicros).Take(MaxProducers / 10).Select(e => e.Key).ToArray())
        {
            _entries.Remove(id);
            Dropped++;
        }
    }
}
