namespace Danube.Fast.Wal;

/// <summary>An allocated file that will become the next segment.</summary>
internal sealed record PreparedSegment(string Path, WalFile File, SegmentMap? Map, long Capacity)
{
    /// <summary>Gives it up. A file that cannot be unlinked now goes with the next open.</summary>
    public void Discard(WalFileSystem files)
    {
        Map?.Release();
        File.Dispose();
        try
        {
            files.Unlink(Path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return;
        }
    }
}
