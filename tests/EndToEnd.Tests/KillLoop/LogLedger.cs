using Danube.Fast.Client;

namespace Danube.Fast.EndToEnd.Tests.KillLoop;

/// <summary>The auditor of one log. Shared with: producers, the clients' receive loops and the test's thread.</summary>
internal abstract class LogLedger(string log)
{
    private long _acknowledged;
    private string? _fault;

    /// <summary>Name of the topic or partition.</summary>
    public string Log { get; } = log;

    /// <summary>Messages acknowledged to producers so far.</summary>
    public long AcknowledgedCount => Interlocked.Read(ref _acknowledged);

    /// <summary>The producer is about to post this number.</summary>
    public abstract void OnPosting(int producer, long number);

    /// <summary>The broker has acknowledged a batch: numbers and offsets run side by side. Runs on: a client's receive loop.</summary>
    public void OnAcknowledged(int producer, long firstNumber, in BatchAck ack)
    {
        Interlocked.Add(ref _acknowledged, ack.Count);
        Note(producer, firstNumber, ack);
    }

    protected abstract void Note(int producer, long firstNumber, in BatchAck ack);

    /// <summary>Keeps the first fault for <see cref="ThrowIfFaulted"/>: threads of the client must not throw.</summary>
    protected void Fault(string what) => Interlocked.CompareExchange(ref _fault, $"{Log}: {what}", null);

    protected void ThrowIfFaulted() => Assert.Null(Volatile.Read(ref _fault));
}
