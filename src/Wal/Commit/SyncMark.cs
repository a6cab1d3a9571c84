namespace Danube.Fast.Wal;

/// <summary>What a sync that began after it was taken covers of one segment.</summary>
/// <param name="Segment">The segment.</param>
/// <param name="File">Its file; null: there is nothing to sync.</param>
/// <param name="Position">Bytes that were written.</param>
/// <param name="IsSealed">Nothing will be added: the file may be closed after the sync.</param>
/// <param name="IsGone">The file was deleted: what has to be durable is that.</param>
internal readonly record struct SyncMark(Segment Segment, WalFile? File, long Position, bool IsSealed, bool IsGone);
