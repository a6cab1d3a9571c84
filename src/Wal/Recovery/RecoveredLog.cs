namespace Danube.Fast.Wal;

/// <summary>What a scan found out about a log.</summary>
internal sealed class RecoveredLog
{
    public List<Segment> Segments { get; } = [];
    public List<(long From, long To)> Damages { get; } = [];

    /// <summary>Segment files of other topics, which were passed over: their paths, and whose they are.</summary>
    public List<(string Path, ulong TopicId)> Foreign { get; } = [];

    public long LogStart { get; set; }

    /// <summary>Next offset: last good + 1, or the durable end that a record proves when everything behind the last good one is lost.</summary>
    public long End { get; set; }

    /// <summary>Offset up to which an earlier process had made durable what the scan found good.</summary>
    public long Durable { get; set; }

    public uint Generation { get; set; }
    public uint Epoch { get; set; }
    public long LastTimeMicros { get; set; }

    /// <summary>Bytes behind the end that were left there or removed: nobody had an acknowledgement for them.</summary>
    public long LeftBehindBytes { get; set; }
    public long ScannedBytes { get; set; }

    /// <summary>Nothing but zeros follows the last frame of the last segment: appending goes on there. Otherwise in a new segment.</summary>
    public bool ContinueInPlace { get; set; }
}
