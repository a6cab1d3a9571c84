using Danube.Fast.Client;

namespace Danube.Fast.EndToEnd.Tests.KillLoop;

/// <summary>
/// The auditor of a memory topic with one producer. It begins at offset 0 with every start of the broker, and within one life of the broker acknowledged offsets are
/// dense.
/// </summary>
internal sealed class MemoryLedger(string log) : LogLedger(log)
{
    private long _next;
    private long _beginnings;

    public override void OnPosting(int producer, long number)
    {
        // Nothing of it is kept, so nothing can be compared.
    }

    /// <summary>After a start: the log has not begun anew more often than the broker.</summary>
    public void Audit(int starts)
    {
        ThrowIfFaulted();
        Assert.True(Interlocked.Read(ref _beginnings) <= starts, $"{Log}: began at offset 0 {_beginnings} times in {starts} lives of the broker");
    }

    protected override void Note(int producer, long firstNumber, in BatchAck ack)
    {
        if (ack.FirstOffset == 0)
        {
            Interlocked.Increment(ref _beginnings);
        }
        else if (ack.FirstOffset != _next)
        {
            Fault($"offset {ack.FirstOffset} was acknowledged behind {_next - 1}");
        }

        _next = ack.FirstOffset + ack.Count;
    }
}
