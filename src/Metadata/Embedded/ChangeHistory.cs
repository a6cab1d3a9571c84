namespace Danube.Fast.Metadata;

/// <summary>
/// The last revisions of a store, for watches that resume. Bounded in number and in bytes: a watch that falls further behind is told
/// so and lists again, so a stuck watcher costs no memory.
/// Runs on: the store's writer. Shared with: watchers, under the owner's lock.
/// </summary>
internal sealed class ChangeHistory(long revision, int capacity, long maxBytes)
{
    private readonly MetadataRevision?[] _revisions = new MetadataRevision?[capacity];
    private long _last = revision;
    private int _count;
    private long _bytes;

    /// <summary>The last revision, also of those before this history began.</summary>
    public long Last => _last;

    /// <summary>First revision that is kept (<see cref="Last"/> + 1 when none is).</summary>
    public long First => _last - _count + 1;

    /// <summary>Adds the revision <see cref="Last"/> + 1.</summary>
    public void Add(MetadataRevision next)
    {
        if (_count == capacity)
        {
            ForgetFirst();
        }

        _last++;
        _count++;
        _revisions[_last % capacity] = next;
        _bytes += Bytes(next);
        while (_bytes > maxBytes && _count > 1)
        {
            ForgetFirst();
        }
    }

    /// <summary>Forgets what is before a revision.</summary>
    public void ForgetBefore(long revision)
    {
        while (_count > 0 && First < revision)
        {
            ForgetFirst();
        }
    }

    /// <summary>A revision between <see cref="First"/> and <see cref="Last"/>.</summary>
    public MetadataRevision this[long revision] => _revisions[revision % capacity]!;

    private void ForgetFirst()
    {
        ref MetadataRevision? first = ref _revisions[First % capacity];
        _bytes -= Bytes(first!);
        first = null;
        _count--;
    }

    private static long Bytes(MetadataRevision revision) => revision.Changes.Sum(c => 64L + c.Key.Length + (c.Entry?.Value.Length ?? 0));
}
