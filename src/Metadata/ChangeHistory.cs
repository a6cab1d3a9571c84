namespace Danube.Fast.Metadata;

/// <summary>
/// The last changes of a store, one per revision, for watches that resume. Bounded: a watch that falls further behind is told so
/// and lists again, so a stuck watcher costs no memory.
/// Runs on: the store's writer. Shared with: watchers, under the owner's lock.
/// </summary>
internal sealed class ChangeHistory(long revision, int capacity)
{
    private readonly MetadataChange[] _changes = new MetadataChange[capacity];
    private long _last = revision;
    private int _count;

    /// <summary>Revision of the last change, also of those before this history began.</summary>
    public long Last => _last;

    /// <summary>First revision that is kept (<see cref="Last"/> + 1 when none is).</summary>
    public long First => _last - _count + 1;

    /// <summary>Adds the change with revision <see cref="Last"/> + 1.</summary>
    public void Add(MetadataChange change)
    {
        _last++;
        _changes[_last % capacity] = change;
        _count = Math.Min(_count + 1, capacity);
    }

    /// <summary>The change of a revision between <see cref="First"/> and <see cref="Last"/>.</summary>
    public MetadataChange this[long revision] => _changes[revision % capacity];
}
