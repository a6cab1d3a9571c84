using Danube.Fast.Core;

namespace Danube.Fast.Wal;

/// <summary>
/// Puts what is new in many logs into groups of the journal: one write and one sync for all of them, then their watermarks and acknowledgements.
/// Runs on: the committer.
/// </summary>
internal sealed class JournalGroup(Journal journal, JournalCheckpoint checkpoint, DataDirectory directory) : GroupCommit
{
    // After so many logs their acknowledgements leave, so that the clients go on while the rest is worked off.
    private const int LogsPerBurst = 128;

    private readonly List<GroupPart> _parts = [];
    private readonly List<int> _joined = [];
    private readonly AckBurst _burst = new();

    public override bool IsOpen => journal.Failure is null;

    public override void Run(List<CommitWork?> works)
    {
        if (checkpoint.IsUrgent)
        {
            checkpoint.RunAll(); // A full ring slows acknowledgements, it never stops them.
        }

        int next = 0;
        while (next < works.Count && IsOpen && RunOne(works, ref next))
        {
        }

        if (checkpoint.IsDue)
        {
            checkpoint.RequestRound();
        }

        if (journal.WantsAhead())
        {
            directory.Allocator.Enqueue(journal);
        }
    }

    // One group, from works[next] on. False when the journal could not take it: the rest goes to the sync threads.
    private bool RunOne(List<CommitWork?> works, ref int next)
    {
        bool written = false;
        journal.BeginGroup();
        try
        {
            Gather(works, ref next);
            written = _joined.Count == 0 || TryWrite();
        }
        finally
        {
            journal.EndGroup(written && _joined.Count > 0, _parts);
        }

        EndLogs(works, written);
        _joined.Clear();
        _parts.Clear();
        return written;
    }

    private void EndLogs(List<CommitWork?> works, bool written)
    {
        _burst.Begin();
        try
        {
            for (int i = 0; i < _joined.Count; i++)
            {
                int at = _joined[i];
                ((LogCommit)works[at]!).Log.EndGroup(written, _parts);
                works[at] = written ? null : works[at];
                if ((i + 1) % LogsPerBurst == 0)
                {
                    _burst.Flush();
                }
            }
        }
        finally
        {
            _burst.End();
        }
    }

    private void Gather(List<CommitWork?> works, ref int next)
    {
        for (; next < works.Count; next++)
        {
            switch (((LogCommit)works[next]!).Log.JoinGroup(journal, _parts))
            {
                case GroupAnswer.Joined:
                    _joined.Add(next);
                    break;
                case GroupAnswer.Nothing:
                    works[next] = null;
                    break;
                case GroupAnswer.NoRoom when _joined.Count > 0:
                    return; // It begins the next group.
                default:
                    break; // Too large, or no room in an empty group: for the sync threads.
            }
        }
    }

    private bool TryWrite()
    {
        try
        {
            journal.WriteGroup();
            return true;
        }
        catch (DiskFullException error)
        {
            directory.Report(WalEventKind.DiskFull, 0, "The commit journal found no space; the logs are synced one by one.", error);
            return false;
        }
        catch (Exception error)
        {
            directory.OnJournalFailed(error);
            return false;
        }
    }
}
