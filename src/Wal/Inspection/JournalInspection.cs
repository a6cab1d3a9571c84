namespace Danube.Fast.Wal;

/// <summary>Replays the journal of a directory into memory, by the rules of the next start. Runs on: the caller's thread.</summary>
internal static class JournalInspection
{
    /// <param name="root">The data directory.</param>
    /// <param name="files">Takes what the journal brings; nothing reaches the disk.</param>
    /// <param name="checkpoint">The current slot; null: there is none.</param>
    /// <param name="hasBadSlot">The newer slot may be lost: all of the ring is looked at.</param>
    /// <param name="store">Takes the durable ends that the entries prove.</param>
    public static JournalPicture Read(string root, PatchedFiles files, CheckpointSlot? checkpoint, bool hasBadSlot, StateStore store)
    {
        string path = Path.Combine(root, JournalOpening.FileName);
        ulong tail = checkpoint?.TailLsn ?? 0;
        bool isClean = checkpoint is { Flags: CheckpointFlags.Clean };
        if (!files.FileExists(path))
        {
            return new JournalPicture(tail != 0 && !isClean ? JournalState.Missing : JournalState.None, 0, 0, tail, tail, 0, 0, 0);
        }

        using WalFile file = files.Open(path);
        using JournalRing? ring = JournalRing.TryOpen(path, files);
        if (ring is null)
        {
            return new JournalPicture(JournalState.Damaged, file.Length, 0, tail, tail, 0, 0, 0);
        }

        var replay = new JournalReplay(files, Path.Combine(root, DataDirectory.TopicsName), store, ring, mayClose: true);
        if (!isClean && (hasBadSlot || checkpoint is null || ring.IsDamaged))
        {
            replay.RunAll();
        }
        else if (!isClean && tail != 0)
        {
            replay.Run(tail, checkpoint!.Value.Incarnation);
        }

        foreach ((ReplayedFile written, _) in replay.Written)
        {
            written.Close();
        }

        JournalState state = ring.IsDamaged ? JournalState.Damaged : JournalState.Good;
        return new JournalPicture(state, file.Length, ring.Capacity, tail, Math.Max(replay.Head, tail), replay.Entries, replay.DamagedBytes, replay.MissingTargets);
    }
}
