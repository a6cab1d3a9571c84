namespace Danube.Fast.Wal;

/// <summary>A segment file with bytes that only the journal holds durably. The journal keeps them until the file itself was synced.</summary>
internal abstract class DirtyFile
{
    /// <summary>LSN of the oldest entry that no sync of the file has covered; 0: none. Under the journal's lock.</summary>
    internal ulong FirstLsn;

    public abstract ulong TopicId { get; }

    /// <summary>Of the segment: a log that takes the topic's id over has higher ones.</summary>
    public abstract uint Generation { get; }

    /// <summary>Notes what a sync that begins now will cover.</summary>
    public abstract void BeginSync();

    /// <summary>Syncs the file alone, and its directory entry if that is new.</summary>
    /// <exception cref="IOException">Nothing is known about the file.</exception>
    public abstract void Sync();

    /// <summary>The file is synced up to what <see cref="BeginSync"/> noted.</summary>
    public abstract void EndSync();

    /// <summary>The sync failed: nothing that follows may count on the file.</summary>
    public abstract void FailSync(Exception cause);

    /// <summary>True when the journal's entries are the only good copy: they are kept for the next start.</summary>
    public abstract bool MustKeep { get; }

    /// <summary>True when only a sync of the whole file system can vouch for the file.</summary>
    public virtual bool NeedsVolume => false;
}
