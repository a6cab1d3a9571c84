using Danube.Fast.LoadTests.Engine;

namespace Danube.Fast.LoadTests.Audit;

/// <summary>What one subscription received, against what it should have. Shared with: its consumers; one lock per lane.</summary>
public sealed class SubscriptionAudit
{
    private const int MaxExamples = 3;

    private readonly Auditor _auditor;
    private readonly AuditRules _rules;
    private readonly IReadOnlyList<AuditLane> _lanes;
    private readonly Dictionary<ushort, Ledger> _ledgers;
    private readonly Lock _exampleLock = new();
    private readonly List<string> _examples = [];
    private long _invented;

    internal SubscriptionAudit(Auditor auditor, string name, IReadOnlyList<AuditLane> lanes, AuditRules rules)
    {
        _auditor = auditor;
        _rules = rules;
        _lanes = lanes;
        Name = name;
        _ledgers = lanes.ToDictionary(l => l.Index, _ => new Ledger());
    }

    public string Name { get; }

    /// <summary>Messages received, duplicates not counted.</summary>
    public long Distinct => _ledgers.Values.Sum(l => l.Locked(() => l.Received.Count));

    /// <summary>Acknowledged messages not received yet. What arrived before its acknowledgement does not count as negative.</summary>
    public long Outstanding => _lanes.Sum(lane => Missing(lane).Count);

    /// <summary>A consumer was handed these bytes.</summary>
    /// <param name="payload">The payload.</param>
    /// <param name="intendedTimestamp">When it was due to be sent.</param>
    /// <returns>False when this run never sent such a message to this subscription.</returns>
    public bool OnReceived(ReadOnlySpan<byte> payload, out long intendedTimestamp)
    {
        intendedTimestamp = 0;
        if (!_auditor.TryRead(payload, out AuditedMessage message) || !_ledgers.TryGetValue(message.Lane, out Ledger? ledger))
        {
            Invented($"{payload.Length} bytes that were not sent here");
            return false;
        }

        if (message.Number >= _auditor.Lanes[message.Lane].Issued)
        {
            Invented($"number {message.Number} of lane {message.Lane}, which was not sent yet");
            return false;
        }

        intendedTimestamp = _auditor.TimestampOf(message);
        lock (ledger.Lock)
        {
            if (!ledger.Received.Add(message.Number))
            {
                ledger.Duplicates++;
                if (!_rules.AllowsDuplicates)
                {
                    Example($"lane {message.Lane}: number {message.Number} came again");
                }
            }
            else if (message.Number < ledger.Highest)
            {
                // Only first receipts count: a redelivery begins again where it must.
                ledger.OutOfOrder++;
                if (!_rules.IsUnordered)
                {
                    Example($"lane {message.Lane}: number {message.Number} came after {ledger.Highest}");
                }
            }

            ledger.Highest = Math.Max(ledger.Highest, message.Number);
        }

        return true;
    }

    /// <summary>The row of the report.</summary>
    public AuditRow ToRow() => new(
        Name, _lanes.Sum(l => l.Acknowledged), Distinct, Outstanding, Interlocked.Read(ref _invented),
        _rules.IsUnordered ? 0 : _ledgers.Values.Sum(l => l.OutOfOrder), _ledgers.Values.Sum(l => l.Duplicates), _rules.AllowsDuplicates, !_rules.IsUnordered);

    /// <summary>Everything that is wrong now, as sentences.</summary>
    /// <param name="countsLoss">False when nobody has waited for what was on its way.</param>
    public IReadOnlyList<string> Findings(bool countsLoss = true)
    {
        AuditRow row = ToRow();
        var findings = new List<string>();
        Add(countsLoss ? row.Lost : 0, "acknowledged messages were not delivered, " + FirstLost());
        Add(row.Invented, "messages were received that nobody sent");
        Add(row.OutOfOrder, "messages came out of order");
        Add(_rules.AllowsDuplicates ? 0 : row.Duplicates, "messages came more than once");
        if (findings.Count > 0)
        {
            lock (_exampleLock)
            {
                findings.AddRange(_examples.Select(e => $"{Name}: for example {e}"));
            }
        }

        return findings;

        void Add(long count, string what)
        {
            if (count > 0)
            {
                findings.Add($"{Name}: {count:N0} {what}");
            }
        }
    }

    private (long Count, long First) Missing(AuditLane lane)
    {
        Ledger ledger = _ledgers[lane.Index];
        lock (ledger.Lock)
        {
            return lane.MissingIn(ledger.Received);
        }
    }

    private string FirstLost()
    {
        AuditLane? lane = _lanes.FirstOrDefault(l => Missing(l).Count > 0);
        return lane is null ? "" : $"the first of lane {lane.Index} is number {Missing(lane).First} of {lane.Issued}";
    }

    private void Invented(string example)
    {
        Interlocked.Increment(ref _invented);
        Example(example);
    }

    private void Example(string text)
    {
        lock (_exampleLock)
        {
            if (_examples.Count < MaxExamples)
            {
                _examples.Add(text);
            }
        }
    }

    private sealed class Ledger
    {
        public Lock Lock { get; } = new();
        public NumberSet Received { get; } = new();
        public long Highest { get; set; } = -1;
        public long Duplicates { get; set; }
        public long OutOfOrder { get; set; }

        public T Locked<T>(Func<T> read)
        {
            lock (Lock)
            {
                return read();
            }
        }
    }
}
