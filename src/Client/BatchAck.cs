namespace Danube.Fast.Client;

/// <summary>A batch that the broker has acknowledged.</summary>
/// <param name="Partition">Index of the partition, 0 on topics that are not partitioned.</param>
/// <param name="FirstOffset">Offset of the first message; the others follow without gaps.</param>
/// <param name="Count">Messages in the batch.</param>
/// <param name="FirstSequence">Sequence of the first message.</param>
/// <param name="OpenedTimestamp"><see cref="System.Diagnostics.Stopwatch.GetTimestamp"/> when the first message went into the batch.</param>
/// <param name="SentTimestamp"><see cref="System.Diagnostics.Stopwatch.GetTimestamp"/> when the batch was first handed to the connection.</param>
public readonly record struct BatchAck(int Partition, long FirstOffset, int Count, ulong FirstSequence, long OpenedTimestamp, long SentTimestamp);

/// <summary>Hears of acknowledged batches, in order per partition. Called on the thread that receives: it must be quick, must not block and must not throw.</summary>
/// <param name="ack">The batch.</param>
public delegate void BatchAckHandler(in BatchAck ack);
