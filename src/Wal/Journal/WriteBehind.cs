namespace Danube.Fast.Wal;

/// <summary>
/// Has the system begin to write, a piece at a time, what the journal holds durably and the segment files do not. Without that all of it, a quarter of the ring, goes to the disk at the
/// next checkpoint in one go, and every commit of these milliseconds waits behind it. Nothing depends on it: a checkpoint syncs the file in any case, and hears of errors.
/// Runs on: a sync thread. Shared with: the committer, which asks for pieces.
/// </summary>
/// <param name="committer">Has the sync threads.</param>
/// <param name="journal">Whose checkpoints this is for; null when there is none, and nobody asks.</param>
internal sealed class WriteBehind(Committer committer, Journal? journal) : CommitWork
{
    /// <summary>Largest piece: less than a millisecond of a disk.</summary>
    public const int MostBytes = 1024 * 1024;

    /// <summary>Smallest piece: each costs a call and a request to the disk; more than a log among ten thousand has between two checkpoints, whose file is written in any case.</summary>
    public const int LeastBytes = 32 * 1024;

    // What all logs together may leave to a checkpoint, twice: half a piece each on average (measured: docs/decisions/0009-many-topics.md).
    private const int LeftBytes = 32 * 1024 * 1024;

    private const long PageMask = ~4095L;

    private readonly Lock _lock = new();
    private List<Piece> _asked = [];
    private List<Piece> _taken = [];

    /// <summary>Bytes of a piece while so many files wait for a checkpoint.</summary>
    public static int PieceFor(int dirtyFiles) => Math.Clamp(LeftBytes / Math.Max(1, dirtyFiles), LeastBytes, MostBytes);

    /// <summary>Asks for what a segment has up to a position, when that is a piece. Under the commit lock of its log.</summary>
    public void Ask(Segment segment, long position)
    {
        long from = Math.Max(segment.WriteBehindPosition, segment.SyncedPosition & PageMask), to = position & PageMask;
        if (to - from < LeastBytes || to - from < PieceFor(journal?.DirtyCount ?? 0) || segment.File is not { } file)
        {
            return;
        }

        segment.WriteBehindPosition = to;
        lock (_lock)
        {
            _asked.Add(new Piece(file, from, to - from));
        }

        committer.Request(this);
    }

    public override void Commit()
    {
        lock (_lock)
        {
            (_asked, _taken) = (_taken, _asked);
        }

        foreach (Piece piece in _taken)
        {
            try
            {
                piece.File.BeginWrite(piece.Position, piece.Length);
            }
            catch (ObjectDisposedException)
            {
                // Synced and closed meanwhile.
            }
        }

        _taken.Clear();
    }

    private readonly record struct Piece(WalFile File, long Position, long Length);
}
