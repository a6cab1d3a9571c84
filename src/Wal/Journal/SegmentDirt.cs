namespace Danube.Fast.Wal;

/// <summary>A live segment in the journal's list of dirty files.</summary>
internal sealed class SegmentDirt(DurableLog log, Segment segment) : DirtyFile
{
    private SyncMark _mark;

    public override ulong TopicId => log.TopicId;

    public override uint Generation => segment.Generation;

    public override bool MustKeep => log.HasFailed && !log.IsDeleted;

    public override void BeginSync() => _mark = log.MarkSync(segment);

    public override void Sync() => log.SyncFile(_mark);

    public override void EndSync() => log.EndSync(_mark);

    public override void FailSync(Exception cause) => log.FailSync(segment, cause);
}
