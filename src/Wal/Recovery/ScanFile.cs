namespace Danube.Fast.Wal;

/// <summary>A segment file as recovery sees it.</summary>
internal sealed class ScanFile(string path, long baseOffset) : IDisposable
{
    private SegmentHeader _header;

    public string Path { get; } = path;
    public long BaseOffset { get; } = baseOffset;

    /// <summary>Open while the file is scanned; handed over to the segment, which must be synced.</summary>
    public WalFile? File { get; private set; }

    public long Length { get; private set; }
    public bool HasHeader { get; private set; }
    public SegmentHeader Header => _header;

    /// <summary>The header is sound and names another topic.</summary>
    public bool IsForeign { get; private set; }

    /// <summary>Good frames end here; 0 = not even the header was good.</summary>
    public long DataEnd { get; set; }

    /// <summary>Where the frames end that were known to be durable.</summary>
    public long DurablePosition { get; set; } = SegmentHeader.Size;
    public long FirstTimeMicros { get; set; }
    public bool HasEndMarker { get; set; }
    public SparseIndex Index { get; } = new();

    /// <summary>Opens the file and reads its header.</summary>
    public void Open(WalFileSystem files, ulong topicId, FileWindow window)
    {
        File ??= files.Open(Path);
        Length = File.Length;
        window.Attach(File);
        bool isSound = window.TryGet(0, SegmentHeader.Size, out ReadOnlySpan<byte> bytes) && SegmentHeader.TryRead(bytes, out _header);
        IsForeign = isSound && _header.TopicId != topicId;
        HasHeader = isSound && !IsForeign && _header.BaseOffset == BaseOffset;
    }

    /// <summary>Opens the file again if it was closed.</summary>
    public WalFile Reopen(WalFileSystem files) => File ??= files.Open(Path);

    /// <summary>Makes the segment of a scanned file; it must be synced before anything in it counts as durable.</summary>
    public Segment ToSegment()
    {
        var segment = new Segment(Path, BaseOffset, Length)
        {
            File = File,
            Owner = SegmentOwner.Own,
            Generation = HasHeader ? _header.Generation : 0,
            CreatedMicros = HasHeader ? _header.CreatedMicros : 0,
            FirstTimeMicros = FirstTimeMicros,
            CommittedPosition = Math.Max(DataEnd, SegmentHeader.Size),
            DurablePosition = DurablePosition,
            Index = Index,
            IsSealed = true,
            NeedsSync = true,
        };
        File = null;
        return segment;
    }

    public void Dispose()
    {
        File?.Dispose();
        File = null;
    }
}
