namespace Danube.Fast.LoadManager;

/// <summary>The last decisions. Any thread may use it.</summary>
public sealed class DecisionLog
{
    /// <summary>Decisions that are kept.</summary>
    public const int Capacity = 1000;

    private readonly Lock _gate = new();
    private readonly PlacementDecision?[] _ring = new PlacementDecision?[Capacity];
    private long _count;

    /// <summary>The last decision about a topic that is still kept, or null.</summary>
    public PlacementDecision? Find(string topic) => Latest().FirstOrDefault(d => d.Topic == topic);

    /// <summary>All that are kept, the newest first.</summary>
    public IReadOnlyList<PlacementDecision> Latest()
    {
        lock (_gate)
        {
            int kept = (int)Math.Min(_count, Capacity);
            return [.. Enumerable.Range(1, kept).Select(back => _ring[(_count - back) % Capacity]!)];
        }
    }

    internal void Add(PlacementDecision decision)
    {
        lock (_gate)
        {
            _ring[_count++ % Capacity] = decision;
        }
    }
}
