namespace Danube.Fast.Wal;

/// <summary>One entry of the group in the making.</summary>
/// <param name="Segment">Its segment.</param>
/// <param name="Position">The segment is durable up to here once the group is.</param>
/// <param name="Lsn">Of the entry.</param>
internal readonly record struct GroupPart(Segment Segment, long Position, ulong Lsn);
