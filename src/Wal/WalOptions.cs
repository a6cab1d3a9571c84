namespace Danube.Fast.Wal;

/// <summary>How appended bytes get into a segment.</summary>
public enum AppendMode
{
    /// <summary>One pwrite per appended run; readers see it through the map (the page cache is coherent).</summary>
    Pwrite,

    /// <summary>Copied through the map.</summary>
    Mapped,
}

/// <summary>Settings of a data directory. The defaults are those of the broker.</summary>
public sealed record WalOptions
{
    public AppendMode AppendMode { get; init; } = AppendMode.Pwrite;

    /// <summary>Largest size of the first segment of a topic in bytes: it has between half of it and all of it. Each further one is twice as large.</summary>
    public int FirstSegmentBytes { get; init; } = 64 * 1024;

    /// <summary>Largest planned segment in bytes; a frame that does not fit gets a segment of its size.</summary>
    public int SegmentBytes { get; init; } = 256 * 1024 * 1024;

    /// <summary>Threads beside the committer that take a share when several logs wait for a sync.</summary>
    public int SyncThreads { get; init; } = 2;

    /// <summary>Size of the commit journal in bytes, at least 64 KiB; at most a sixteenth of the volume. 0: none, each log is synced by itself.</summary>
    public long JournalBytes { get; init; } = 256L * 1024 * 1024;

    /// <summary>Most of <see cref="JournalThresholdBytes"/>: a longer entry of the journal could not be read back.</summary>
    public const int MaxJournalThresholdBytes = 1024 * 1024;

    /// <summary>A log with less than this to commit uses the journal, one with more is synced itself. Bytes, 0 to <see cref="MaxJournalThresholdBytes"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is set to something else.</exception>
    public int JournalThresholdBytes
    {
        get;
        init => field = value is >= 0 and <= MaxJournalThresholdBytes ? value
            : throw new ArgumentOutOfRangeException(nameof(JournalThresholdBytes), value, $"0 to {MaxJournalThresholdBytes} bytes.");
    } = 128 * 1024;

    /// <summary>Longest time until what the journal holds is in the files too, milliseconds.</summary>
    public int CheckpointIntervalMs { get; init; } = 5000;

    /// <summary>How often <c>os</c> logs are synced in the background, milliseconds.</summary>
    public int OsSyncIntervalMs { get; init; } = 1000;

    /// <summary>Longest time that a saved cursor waits for its sync, milliseconds.</summary>
    public int CursorSyncIntervalMs { get; init; } = 100;

    /// <summary>A log without appends and reads for this long gives its maps and handles back, milliseconds.</summary>
    public int IdleAfterMs { get; init; } = 600_000;

    /// <summary>How often retention is applied, milliseconds.</summary>
    public int RetentionIntervalMs { get; init; } = 10_000;

    /// <summary>Threads that read what is not mapped. One more starts when openings and index builds take all of them.</summary>
    public int ColdReaders { get; init; } = 2;

    /// <summary>Share of one processor's time that cold reads take at most while anything is appended or synced, sending what was read included; percent, 1 to 100.</summary>
    public int ColdReadPercent { get; init; } = 5;

    /// <summary>Segments from this length on leave the page cache when everybody has read them, bytes. Smaller ones take little room there, and a restart may want them.</summary>
    public int LetGoBytes { get; init; } = 8 * 1024 * 1024;

    /// <summary>A producer snapshot is written after this many appended bytes.</summary>
    public long SnapshotIntervalBytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>Publishes are refused below the smaller of this many free bytes and <see cref="LowSpaceFraction"/> of the volume. 0 = never.</summary>
    public long LowSpaceBytes { get; init; } = 1024L * 1024 * 1024;

    /// <summary>Share of the volume, 0 to 1; see <see cref="LowSpaceBytes"/>.</summary>
    public double LowSpaceFraction { get; init; } = 0.05;

    /// <summary>Maps of the whole directory; further reads go through the cold readers.</summary>
    public int MaxMaps { get; init; } = 16_384;

    /// <summary>Takes what an operator should know. Runs on any thread; must not block.</summary>
    public Action<WalEvent>? OnEvent { get; init; }

    /// <summary>Clock of retention, low-space checks and time stamps.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>The seam to the operating system's files.</summary>
    public WalFileSystem FileSystem { get; init; } = WalFileSystem.Native;

    /// <summary>Latencies of appends and reads are measured.</summary>
    public bool MeasureLatency { get; init; } = true;

    /// <summary>First segments differ in size, so that logs that are written alike do not all roll at once. False in tests that count segments.</summary>
    internal bool SpreadSegments { get; init; } = true;

    /// <summary>False in deterministic tests: no thread is started, the test runs each step itself.</summary>
    internal bool StartThreads { get; init; } = true;
}
