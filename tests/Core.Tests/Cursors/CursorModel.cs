namespace Danube.Fast.Core.Tests;

/// <summary>A cursor as a set of offsets: slow and plainly right.</summary>
internal sealed class CursorModel(long start)
{
    private readonly HashSet<long> _acknowledged = [];

    public long MarkDelete { get; private set; } = start;

    public IReadOnlySet<long> Beyond => _acknowledged;

    public long Acknowledge(long first, long end)
    {
        long added = 0;
        for (long offset = Math.Max(first, MarkDelete); offset < end; offset++)
        {
            added += _acknowledged.Add(offset) ? 1 : 0;
        }

        while (_acknowledged.Remove(MarkDelete))
        {
            MarkDelete++;
        }

        return added;
    }

    public bool IsAcknowledged(long offset) => offset < MarkDelete || _acknowledged.Contains(offset);
}
