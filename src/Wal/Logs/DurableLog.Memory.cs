namespace Danube.Fast.Wal;

// Pages of segments that everybody has read leave the page cache, so that new ones take their place: memory that was never used before costs a virtual machine
// ten times as much to write to. Runs on: the janitor.
internal sealed partial class DurableLog
{
    // The last ones are mapped.
    private const int KeptSegments = 2;

    /// <summary>Lets go of the segments behind the tail that are on the disk and lie wholly below what anybody still has to read.</summary>
    internal void MemoryTick()
    {
        Segment[] segments = Volatile.Read(ref _segments);
        long below = ReadBelow;
        for (int i = segments.Length - KeptSegments - 1; i >= 0 && segments[i].IsInMemory; i--)
        {
            if (segments[i].CommittedPosition >= _directory.Options.LetGoBytes && segments[i + 1].BaseOffset <= below && TryLetGo(segments[i]))
            {
                segments[i].IsInMemory = false;
            }
        }
    }

    // Pages that are not written yet would stay: such a segment has its turn later.
    private bool TryLetGo(Segment segment)
    {
        lock (_commitLock)
        {
            if (!segment.IsDone)
            {
                return false;
            }
        }

        try
        {
            using WalFile file = _files.Open(segment.Path);
            file.DropCache();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Deleted meanwhile, or no handle is free: the system takes the memory back by itself when it needs it.
        }

        return true;
    }
}
