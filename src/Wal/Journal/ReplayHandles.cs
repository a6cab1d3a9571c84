namespace Danube.Fast.Wal;

/// <summary>
/// The files that replay has open: the one unused for longest is closed when there are too many, or when the system has no more handles, so a start needs
/// few of them whatever the journal holds. Where the file system cannot be synced as a whole nothing would be known of a closed file: none is closed then.
/// Runs on: the thread that opens the directory.
/// </summary>
internal sealed class ReplayHandles(bool mayClose)
{
    /// <summary>Open at a time at the most. Reopening a file per entry would take longer than the rest of the replay.</summary>
    public const int Most = 4096;

    private readonly LinkedList<ReplayedFile> _open = new();
    private int _most = Most;

    /// <summary>The file's handle; it is opened, or made, when it is not open.</summary>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public WalFile Use(ReplayedFile file)
    {
        if (file.Handle is { } open)
        {
            _open.Remove(file.Node!);
            _open.AddLast(file.Node!);
            return open;
        }

        Trim(_most - 1);
        WalFile opened = OpenAtLast(file);
        file.Node ??= new LinkedListNode<ReplayedFile>(file);
        _open.AddLast(file.Node);
        return opened;
    }

    /// <summary>Closes files until so many are open at the most.</summary>
    public void Trim(int most)
    {
        while (mayClose && _open.Count > most)
        {
            _open.First!.Value.Close();
            _open.RemoveFirst();
        }
    }

    /// <summary>Closes a file for good.</summary>
    public void Drop(ReplayedFile file)
    {
        if (file.Handle is not null)
        {
            _open.Remove(file.Node!);
            file.Close();
        }
    }

    // The process may have less handles than expected, or lose them to others.
    private WalFile OpenAtLast(ReplayedFile file)
    {
        while (true)
        {
            try
            {
                return file.Open();
            }
            catch (IOException error) when (mayClose && _open.Count > 0 && IoErrors.IsOutOfHandles(error))
            {
                Trim(_open.Count / 2);
                _most = Math.Max(1, _open.Count);
            }
        }
    }
}
