namespace Danube.Fast.LoadTests.Audit;

/// <summary>A series of numbered messages. Shared with: its producer, the threads that acknowledge, the auditor at the end.</summary>
public sealed class AuditLane
{
    private readonly Auditor _auditor;
    private readonly Lock _lock = new();
    private readonly NumberSet _acknowledged = new();
    private long _issued;

    internal AuditLane(Auditor auditor, ushort index)
    {
        _auditor = auditor;
        Index = index;
    }

    public ushort Index { get; }

    /// <summary>Held while a message is written and handed to the producer, so that both have one order.</summary>
    public Lock Turn { get; } = new();

    /// <summary>Messages written so far.</summary>
    public long Issued => Volatile.Read(ref _issued);

    /// <summary>Messages acknowledged so far.</summary>
    public long Acknowledged
    {
        get
        {
            lock (_lock)
            {
                return _acknowledged.Count;
            }
        }
    }

    /// <summary>Writes the next message. The caller sends in the order of the numbers.</summary>
    /// <returns>Its number.</returns>
    public long Write(Span<byte> payload, long intendedTimestamp)
    {
        lock (_lock)
        {
            _auditor.Write(payload, this, _issued, intendedTimestamp);

            // Published after the bytes: a consumer may be quicker than this thread.
            Volatile.Write(ref _issued, _issued + 1);
            return _issued - 1;
        }
    }

    /// <summary>The broker has acknowledged this message.</summary>
    public void OnAcknowledged(long number)
    {
        lock (_lock)
        {
            _acknowledged.Add(number);
        }
    }

    internal (long Count, long First) MissingIn(NumberSet received)
    {
        lock (_lock)
        {
            return _acknowledged.MissingIn(received);
        }
    }
}
