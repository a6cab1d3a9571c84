using System.Collections;

namespace Danube.Fast.LoadTests.Audit;

/// <summary>
/// Notes what was acknowledged and what one subscription received, and says what is wrong: something acknowledged is missing, something came
/// that nobody sent, order of a producer broken, a duplicate where none is allowed. Shared with: all producers and consumers of a scenario.
/// </summary>
public sealed class Auditor
{
    private readonly string _subscription;
    private readonly bool _isOrdered;
    private readonly Lock _lock = new();
    private readonly Ledger[] _ledgers;
    private long _invented;

    /// <param name="subscription">For the texts.</param>
    /// <param name="producers">Producers are numbered from 0 to this.</param>
    /// <param name="isOrdered">True where one consumer gets everything: each producer's numbers must come in order.</param>
    public Auditor(string subscription, int producers, bool isOrdered)
    {
        _subscription = subscription;
        _isOrdered = isOrdered;
        _ledgers = [.. Enumerable.Range(0, producers).Select(_ => new Ledger())];
    }

    /// <summary>Messages received, duplicates not counted.</summary>
    public long Distinct
    {
        get
        {
            lock (_lock)
            {
                return _ledgers.Sum(l => l.Distinct);
            }
        }
    }

    /// <summary>Messages acknowledged to the producers.</summary>
    public long Acknowledged
    {
        get
        {
            lock (_lock)
            {
                return _ledgers.Sum(l => l.Acknowledged.Count(true));
            }
        }
    }

    /// <summary>The broker has acknowledged this message to its producer.</summary>
    public void OnAcknowledged(int producer, long number)
    {
        lock (_lock)
        {
            _ledgers[producer].Acknowledged.Set(number);
        }
    }

    /// <summary>A consumer was handed these bytes.</summary>
    /// <returns>Time since the send, or null when the message is not one of ours.</returns>
    public TimeSpan? OnReceived(ReadOnlySpan<byte> payload, bool isRedelivery)
    {
        bool isOurs = AuditedMessage.TryRead(payload, out int producer, out long number, out TimeSpan age) && (uint)producer < (uint)_ledgers.Length;
        lock (_lock)
        {
            if (!isOurs)
            {
                _invented++;
                return null;
            }

            _ledgers[producer].Receive(number, isRedelivery);
            return age;
        }
    }

    /// <summary>Everything that is wrong now, as sentences.</summary>
    public IReadOnlyList<string> Findings()
    {
        var findings = new List<string>();
        lock (_lock)
        {
            Add(_invented, "messages were received that nobody sent");
            Add(_ledgers.Sum(l => l.Acknowledged.CountMissing(l.Received)), "acknowledged messages were not delivered");
            Add(_ledgers.Sum(l => l.Duplicates), "messages came again without being marked as redelivered");
            Add(_isOrdered ? _ledgers.Sum(l => l.OutOfOrder) : 0, "messages came out of their producer's order");
        }

        return findings;

        void Add(long count, string what)
        {
            if (count > 0)
            {
                findings.Add($"{_subscription}: {count:N0} {what}");
            }
        }
    }

    private sealed class Ledger
    {
        private long _last = -1;

        public GrowingBits Acknowledged { get; } = new();
        public GrowingBits Received { get; } = new();
        public long Distinct { get; private set; }
        public long Duplicates { get; private set; }
        public long OutOfOrder { get; private set; }

        public void Receive(long number, bool isRedelivery)
        {
            if (Received.Set(number))
            {
                Distinct++;
            }
            else if (!isRedelivery)
            {
                Duplicates++;
            }

            OutOfOrder += number <= _last && !isRedelivery ? 1 : 0;
            _last = Math.Max(_last, number);
        }
    }
}

/// <summary>A set of numbers from 0, one bit each.</summary>
public sealed class GrowingBits
{
    private BitArray _bits = new(1 << 16);

    /// <summary>Adds a number; false when it was there.</summary>
    public bool Set(long number)
    {
        int index = checked((int)number);
        if (index >= _bits.Length)
        {
            _bits.Length = Math.Max(index + 1, _bits.Length * 2);
        }

        bool isNew = !_bits[index];
        _bits[index] = true;
        return isNew;
    }

    public bool Contains(long number) => number < _bits.Length && _bits[(int)number];

    /// <summary>How many are in the set (true) or not yet (false).</summary>
    public long Count(bool value)
    {
        long count = 0;
        foreach (bool bit in _bits)
        {
            count += bit == value ? 1 : 0;
        }

        return count;
    }

    /// <summary>How many of this set are missing in <paramref name="other"/>.</summary>
    public long CountMissing(GrowingBits other)
    {
        long missing = 0;
        for (int i = 0; i < _bits.Length; i++)
        {
            missing += _bits[i] && !other.Contains(i) ? 1 : 0;
        }

        return missing;
    }
}
