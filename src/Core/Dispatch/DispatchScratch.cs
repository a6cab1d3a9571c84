using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

/// <summary>Buffers of one thread for building a deliver. Rented, so that a nested use on the same thread gets its own.</summary>
internal sealed class DispatchScratch
{
    [ThreadStatic]
    private static DispatchScratch? _spare;

    private (uint First, uint Count)[] _exclusions = new (uint, uint)[16];
    private (long First, long End, ActiveKey? Key)[] _ranges = new (long, long, ActiveKey?)[16];
    private byte[] _prefix = new byte[DeliverFrame.Measure(16)];

    public SinkSet Sinks { get; } = new();

    public int ExclusionCount { get; private set; }

    public int RangeCount { get; private set; }

    /// <summary>Stored frames of the deliver; whoever adds one counts it.</summary>
    public int FrameCount { get; set; }

    public static DispatchScratch Rent()
    {
        DispatchScratch scratch = _spare ?? new DispatchScratch();
        _spare = null;
        return scratch;
    }

    public void Return() => _spare = this;

    public void Begin()
    {
        ExclusionCount = 0;
        RangeCount = 0;
        FrameCount = 0;
    }

    /// <summary>Records [first, first + count) after the run's first one are not for the consumer. Joins what is adjacent.</summary>
    public void Exclude(long first, long count)
    {
        if (ExclusionCount > 0)
        {
            ref (uint First, uint Count) last = ref _exclusions[ExclusionCount - 1];
            if (last.First + last.Count == first)
            {
                last.Count += (uint)count;
                return;
            }
        }

        if (ExclusionCount == _exclusions.Length)
        {
            Array.Resize(ref _exclusions, _exclusions.Length * 2);
        }

        _exclusions[ExclusionCount++] = ((uint)first, (uint)count);
    }

    /// <summary>Records [first, end) of a key are selected. Joins what is adjacent.</summary>
    public void Select(long first, long end, ActiveKey? key = null)
    {
        if (RangeCount > 0 && _ranges[RangeCount - 1].End == first && ReferenceEquals(_ranges[RangeCount - 1].Key, key))
        {
            _ranges[RangeCount - 1].End = end;
            return;
        }

        if (RangeCount == _ranges.Length)
        {
            Array.Resize(ref _ranges, _ranges.Length * 2);
        }

        _ranges[RangeCount++] = (first, end, key);
    }

    public (long First, long End, ActiveKey? Key) Range(int index) => _ranges[index];

    /// <summary>Header and exclusion list, sealed.</summary>
    public ReadOnlySpan<byte> Seal(ref DeliverFields fields)
    {
        int length = DeliverFrame.Measure(ExclusionCount);
        if (_prefix.Length < length)
        {
            _prefix = new byte[length * 2];
        }

        Span<byte> prefix = _prefix.AsSpan(0, length);
        fields.ExclusionCount = ExclusionCount;
        DeliverFrame.Begin(prefix, fields);
        for (int i = 0; i < ExclusionCount; i++)
        {
            DeliverFrame.WriteExclusion(prefix, i, _exclusions[i].First, _exclusions[i].Count);
        }

        DeliverFrame.Seal(prefix, ExclusionCount);
        return prefix;
    }
}
