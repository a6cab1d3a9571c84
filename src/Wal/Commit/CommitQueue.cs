namespace Danube.Fast.Wal;

/// <summary>Works that wait for a lane, linked through themselves. Runs under: the committer's lock.</summary>
internal sealed class CommitQueue
{
    private CommitWork? _head;
    private CommitWork? _tail;

    public bool IsEmpty => _head is null;

    public int Count { get; private set; }

    public void Enqueue(CommitWork work)
    {
        Count++;
        work.Next = null;
        if (_tail is null)
        {
            _head = work;
        }
        else
        {
            _tail.Next = work;
        }

        _tail = work;
    }

    public CommitWork? Dequeue()
    {
        CommitWork? work = _head;
        if (work is not null)
        {
            Count--;
            _head = work.Next;
            _tail = _head is null ? null : _tail;
            work.Next = null;
        }

        return work;
    }

    /// <summary>Moves works to the end of a list until it holds <paramref name="most"/>.</summary>
    public void DequeueInto(List<CommitWork> works, int most)
    {
        while (works.Count < most && Dequeue() is { } work)
        {
            works.Add(work);
        }
    }
}
