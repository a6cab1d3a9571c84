namespace Danube.Fast.Wal;

/// <summary>What a sync of the whole file system makes durable of one log.</summary>
/// <param name="Log">The log.</param>
/// <param name="Offset">Its committed end before the sync.</param>
/// <param name="FirstMark">Index of the first of its marks.</param>
/// <param name="Marks">Number of its marks; -1: the log must be run by itself.</param>
internal readonly record struct BulkTarget(DurableLog Log, long Offset, int FirstMark, int Marks);
