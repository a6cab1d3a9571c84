namespace Danube.Fast.Client;

/// <summary>The offsets of one large message, as ranges in ascending order. Under the ledger's lock.</summary>
internal sealed class ChunkSet
{
    /// <summary>Epoch in which the first of them was delivered.</summary>
    public required uint Epoch { get; init; }
    public List<(long From, long To)> Ranges { get; } = [];
    public int Count { get; private set; }
    public long Last => Ranges[^1].To - 1;

    public void Add(long offset)
    {
        Count++;
        if (Ranges.Count > 0 && Ranges[^1].To == offset)
        {
            Ranges[^1] = (Ranges[^1].From, offset + 1);
        }
        else
        {
            Ranges.Add((offset, offset + 1));
        }
    }
}

/// <summary>
/// Which offsets of a partition belong together because they are chunks of one message: those are acknowledged and given back as a whole, and a
/// cumulative acknowledgement must not take parts of a message that is not done. Messages that are never acknowledged are forgotten from the
/// oldest on, beyond <see cref="MaxComplete"/>. Thread-safe: the reader fills it, acknowledging threads ask.
/// </summary>
internal sealed class ChunkLedger
{
    public const int MaxComplete = 4096;

    private readonly Lock _gate = new();
    private readonly List<ChunkSet> _open = [];
    private readonly SortedDictionary<long, ChunkSet> _complete = [];
    private readonly List<(long From, long To)> _held = [];
    private long _acknowledgedTo;
    private int _count;

    /// <summary>True while there is nothing that a plain acknowledgement could miss.</summary>
    public bool IsEmpty => Volatile.Read(ref _count) == 0;

    public ChunkSet Begin(long offset, uint epoch)
    {
        var set = new ChunkSet { Epoch = epoch };
        set.Add(offset);
        lock (_gate)
        {
            _open.Add(set);
            Recount();
        }

        return set;
    }

    public void Add(ChunkSet set, long offset)
    {
        lock (_gate)
        {
            set.Add(offset);
        }
    }

    /// <summary>The message is whole: from now on it is found by its last offset.</summary>
    public void Complete(ChunkSet set)
    {
        lock (_gate)
        {
            _open.Remove(set);
            _complete[set.Last] = set;
            if (_complete.Count > MaxComplete)
            {
                _complete.Remove(_complete.First().Key);
            }

            Recount();
        }
    }

    /// <summary>The message will not become whole.</summary>
    public void Drop(ChunkSet set)
    {
        lock (_gate)
        {
            _open.Remove(set);
            Recount();
        }
    }

    /// <summary>All offsets of the message with this id, which is settled thereby; null when it is not a large one.</summary>
    public ChunkSet? Take(long lastOffset)
    {
        lock (_gate)
        {
            bool found = _complete.Remove(lastOffset, out ChunkSet? set);
            Recount();
            return found ? set : null;
        }
    }

    /// <summary>All offsets of the message with this id; null when it is not a large one.</summary>
    public ChunkSet? Find(long lastOffset)
    {
        if (IsEmpty)
        {
            return null;
        }

        lock (_gate)
        {
            return _complete.GetValueOrDefault(lastOffset);
        }
    }

    /// <summary>The channel was opened, or the position moved: nothing that is open will be continued.</summary>
    public void Restart()
    {
        lock (_gate)
        {
            _open.Clear();
            _acknowledgedTo = 0;
            Recount();
        }
    }

    /// <summary>
    /// Acknowledges everything up to and including <paramref name="offset"/>, except the chunks of messages that end above it: cumulatively below the
    /// first of those, and what lies between them by range.
    /// </summary>
    public AckStep AckCumulative(AckBook acks, long offset)
    {
        lock (_gate)
        {
            AckStep step = TakeUpTo(acks, offset);
            if (_held.Count == 0)
            {
                _acknowledgedTo = offset + 1;
                return Later(step, acks.AddCumulative(offset));
            }

            long at = Math.Max(_acknowledgedTo, _held[0].From);
            step = _held[0].From > 0 ? Later(step, acks.AddCumulative(_held[0].From - 1)) : step;
            foreach ((long from, long to) in _held)
            {
                step = at < from ? Later(step, acks.Add(at, from, default(uint?))) : step;
                at = Math.Max(at, to);
            }

            step = at <= offset ? Later(step, acks.Add(at, offset + 1, default(uint?))) : step;
            _acknowledgedTo = Math.Max(_acknowledgedTo, offset + 1);
            return step;
        }
    }

    internal static AckStep Later(AckStep one, AckStep other) => one == AckStep.Due || other == AckStep.Due ? AckStep.Due : one == AckStep.Started ? one : other;

    /// <summary>Acknowledges the messages that end up to the offset, and lists what the others hold below it.</summary>
    private AckStep TakeUpTo(AckBook acks, long offset)
    {
        AckStep step = AckStep.None;
        _held.Clear();
        foreach (ChunkSet set in _open)
        {
            _held.AddRange(set.Ranges.Where(r => r.From <= offset));
        }

        while (_complete.Count > 0 && _complete.First() is var first && first.Key <= offset)
        {
            foreach ((long from, long to) in first.Value.Ranges)
            {
                step = Later(step, acks.Add(from, to, default(uint?)));
            }

            _complete.Remove(first.Key);
        }

        foreach (ChunkSet set in _complete.Values)
        {
            _held.AddRange(set.Ranges.Where(r => r.From <= offset));
        }

        _held.Sort();
        Recount();
        return step;
    }

    private void Recount() => Volatile.Write(ref _count, _open.Count + _complete.Count);
}
