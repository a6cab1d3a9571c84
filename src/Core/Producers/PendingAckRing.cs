using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

/// <summary>A frame whose acknowledgement waits for the watermark to reach <see cref="EndOffset"/>.</summary>
internal struct PendingAck
{
    public Producer Producer;
    public ulong Sequence;
    public long EndOffset;
    public uint Count;
    public uint Generation;
    public int Bytes;

    /// <summary>When the frame came, by the topic's clock of latencies.</summary>
    public long ReceivedAt;

    /// <summary>It repeats a stored frame, which has its own entry or was acknowledged: the publish rate does not count it again.</summary>
    public bool IsDuplicate;

    /// <summary>Its spans, when it is sampled and somebody listens.</summary>
    public PublishSpans? Spans;

    public readonly long FirstOffset => EndOffset - Count;
    public readonly ulong LastSequence => Sequence + Count - 1;
}

/// <summary>
/// The frames of one topic that are not acknowledged yet, in the order of their arrival. New frames arrive in offset order; a
/// duplicate may name an older offset, which holds nothing up, since everything behind it in the ring is newer than its original.
/// The array grows to the largest number on the way and stays: no allocation in steady state.
/// Runs on: publishers (push, under the append lock) and one draining thread (pop). Shared with: each other, under an own short lock.
/// </summary>
internal sealed class PendingAckRing
{
    private readonly Lock _lock = new();
    private PendingAck[] _entries = [];
    private int _head;
    private int _count;

    /// <summary>Enters stamped frames of one producer.</summary>
    /// <param name="producer">Whose they are.</param>
    /// <param name="frames">The frames, as appended.</param>
    /// <param name="receivedAt">When they came, on the clock of latencies.</param>
    /// <param name="moments">For the spans of the sampled ones.</param>
    public void Push(Producer producer, ReadOnlySpan<byte> frames, long receivedAt, in PublishMoments moments)
    {
        producer.AddUnacknowledged(frames.Length);
        lock (_lock)
        {
            while (!frames.IsEmpty)
            {
                var header = new StreamHeader(frames);
                int length = header.FrameLength;
                Add(new PendingAck { Producer = producer, Sequence = header.Sequence, EndOffset = header.EndOffset, Count = header.RecordCount, Generation = header.Generation, Bytes = length, ReceivedAt = receivedAt, Spans = moments.SpansOf(header) });
                frames = frames[length..];
            }
        }
    }

    /// <summary>Enters a frame that repeats a stored one.</summary>
    public void PushDuplicate(in PendingAck entry)
    {
        entry.Producer.AddUnacknowledged(entry.Bytes);
        lock (_lock)
        {
            Add(entry);
        }
    }

    /// <summary>True while entries wait, for the watermark or for the rate.</summary>
    public bool HasEntries
    {
        get
        {
            lock (_lock)
            {
                return _count > 0;
            }
        }
    }

    /// <summary>Takes entries from the front that end at or below <paramref name="watermark"/>, and as fast as the pace allows; returns how many.</summary>
    public int Pop(long watermark, Span<PendingAck> into, PublishPace? pace)
    {
        lock (_lock)
        {
            int taken = 0;
            while (taken < into.Length && _count > 0 && _entries[_head].EndOffset <= watermark && (pace is not { IsOpen: false } || _entries[_head].IsDuplicate))
            {
                if (!_entries[_head].IsDuplicate)
                {
                    pace?.Take(_entries[_head].Count, _entries[_head].Bytes);
                }

                into[taken++] = _entries[_head];
                _entries[_head] = default;
                _head = (_head + 1) & (_entries.Length - 1);
                _count--;
            }

            return taken;
        }
    }

    /// <summary>What waits of producers that are gone, and of the one with this id: the topic's rate has it still to pay for.</summary>
    public (int Entries, long Messages, long Bytes) Owed(ulong producerId)
    {
        (int entries, long messages, long bytes) = (0, 0, 0);
        lock (_lock)
        {
            for (int i = 0; i < _count; i++)
            {
                ref PendingAck entry = ref _entries[(_head + i) & (_entries.Length - 1)];
                if (entry.Producer.Id == producerId || entry.Producer.Refusal != ErrorCode.None)
                {
                    entries++;
                    messages += entry.IsDuplicate ? 0 : entry.Count;
                    bytes += entry.IsDuplicate ? 0 : entry.Bytes;
                }
            }
        }

        return (entries, messages, bytes);
    }

    /// <summary>Forgets everything: nothing of it will ever be acknowledged.</summary>
    /// <param name="nowMicros">End of the spans of what waited.</param>
    public void Clear(long nowMicros)
    {
        lock (_lock)
        {
            for (int i = 0; i < _count; i++)
            {
                _entries[(_head + i) & (_entries.Length - 1)].Spans?.Failed(ErrorCode.LogFailed, nowMicros);
            }

            _entries = [];
            _head = 0;
            _count = 0;
        }
    }

    private void Add(in PendingAck entry)
    {
        if (_count == _entries.Length)
        {
            Grow();
        }

        _entries[(_head + _count) & (_entries.Length - 1)] = entry;
        _count++;
    }

    private void Grow()
    {
        var larger = new PendingAck[Math.Max(16, _entries.Length * 2)];
        for (int i = 0; i < _count; i++)
        {
            larger[i] = _entries[(_head + i) & (_entries.Length - 1)];
        }

        _entries = larger;
        _head = 0;
    }
}
