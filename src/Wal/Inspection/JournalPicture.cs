namespace Danube.Fast.Wal;

/// <summary>What the journal file is.</summary>
public enum JournalState
{
    /// <summary>There is none, and the checkpoint names none.</summary>
    None,
    Good,

    /// <summary>Its head cannot be read, or the file is cut.</summary>
    Damaged,

    /// <summary>The checkpoint names one.</summary>
    Missing,
}

/// <summary>The commit journal.</summary>
/// <param name="State">Whether it can be read.</param>
/// <param name="Bytes">Length of the file.</param>
/// <param name="Capacity">Bytes of the ring.</param>
/// <param name="Tail">LSN at which replay begins.</param>
/// <param name="Head">LSN behind the last entry.</param>
/// <param name="Entries">Entries that the next start replays; none after an orderly stop.</param>
/// <param name="DamagedBytes">Bytes between tail and head that had been on the disk and cannot be read.</param>
/// <param name="MissingTargets">Entries whose segment is missing although it was not deleted.</param>
public sealed record JournalPicture(JournalState State, long Bytes, long Capacity, ulong Tail, ulong Head, long Entries, long DamagedBytes, long MissingTargets)
{
    internal IEnumerable<string> Faults
    {
        get
        {
            if (State == JournalState.Missing)
            {
                yield return "The commit journal is missing: acknowledged messages that were only in it are lost.";
            }
            else if (State == JournalState.Damaged)
            {
                yield return "The commit journal is cut, or its head cannot be read.";
            }

            if (DamagedBytes > 0)
            {
                yield return $"{DamagedBytes} bytes of the commit journal cannot be read although they were on the disk: acknowledged messages may be lost.";
            }

            if (MissingTargets > 0)
            {
                yield return $"{MissingTargets} entries of the commit journal belong to segments that are missing.";
            }
        }
    }
}
