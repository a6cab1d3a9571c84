using System.Globalization;

namespace Danube.Fast.Client;

/// <summary>
/// A reader's memory of what it has given out. Its subscription ends with the connection, so the next one begins at the first offset that is not
/// done with; what was done behind that is not given out again.
/// </summary>
internal sealed partial class PartitionConsumer
{
    private readonly OffsetRanges _done = new();
    private string _subscriptionName = "";

    /// <summary>Name of the subscription; a reader's is the broker's choice and changes with each opening.</summary>
    public string SubscriptionName
    {
        get
        {
            lock (_gate)
            {
                return _subscriptionName;
            }
        }
    }

    /// <summary>True when nothing visible is behind the last message given out.</summary>
    public bool HasReadToEnd
    {
        get
        {
            lock (_gate)
            {
                return Math.Max(_done.End, _startOffset) >= DurableEnd;
            }
        }
    }

    /// <summary>Notes that a message goes to the application; false when it has been there before.</summary>
    public bool TryHandOut(long offset)
    {
        ChunkSet? chunks = Chunks.Find(offset);
        lock (_gate)
        {
            if (_done.Contains(offset))
            {
                return false;
            }

            if (chunks is null)
            {
                _done.Add(offset, offset + 1);
                return true;
            }

            foreach ((long from, long to) in chunks.Ranges)
            {
                _done.Add(from, to);
            }

            return true;
        }
    }

    /// <summary>Where the next opening begins. Under <c>_gate</c>.</summary>
    private string StartLocked() => _options.IsReader && _opened
        ? string.Create(CultureInfo.InvariantCulture, $"offset:{_done.EndOfRunAt(_startOffset)}")
        : _options.Start;

    /// <summary>A reader passes over offsets that no message will come from.</summary>
    private void NoteDone(long from, long to)
    {
        if (_options.IsReader)
        {
            lock (_gate)
            {
                _done.Add(from, to);
            }
        }
    }
}
