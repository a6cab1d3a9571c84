namespace Danube.Fast.Wal;

/// <summary>An allocated file that will become the next segment.</summary>
internal sealed record PreparedSegment(string Path, WalFile File, SegmentMap? Map, long Capacity)
{
    /// <summary>Gives it up.</summary>
    public void Discard(WalFileSystem files)
    {
        Map?.Release();
        File.Dispose();
        files.Unlink(Path);
    }
}
