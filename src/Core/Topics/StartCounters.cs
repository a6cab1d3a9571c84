namespace Danube.Fast.Core;

/// <summary>Counts readers by where they started: new subscriptions, opened ones (at an offset), seeks. Runs on: control requests.</summary>
public sealed class StartCounters
{
    private readonly long[] _counts = new long[4];

    public long this[StartKind kind] => Volatile.Read(ref _counts[(int)kind]);

    internal void Count(StartKind kind) => Interlocked.Increment(ref _counts[(int)kind]);
}
