using Danube.Fast.Protocol;

namespace Danube.Fast.Client;

/// <summary>Settings of a <see cref="Producer"/>.</summary>
public sealed class ProducerOptions
{
    /// <summary>The topic, <c>/namespace/name</c>. It is created on first use unless the broker forbids that.</summary>
    public required string Topic { get; init; }

    /// <summary>
    /// Name of the producer, by which the broker recognises resends: one live producer per name and topic, a second one ends the first
    /// (<see cref="ErrorCode.Fenced"/>). Null makes up a name that nobody else has.
    /// </summary>
    public string? Name { get; init; }

    /// <summary><c>fsync</c>, <c>os</c> or <c>memory</c> when the topic is created by this call; null for the broker's default.</summary>
    public string? Durability { get; init; }

    /// <summary>Compression of each batch as a whole. <see cref="Protocol.Compression.Default"/> is the codec to choose. Default: none.</summary>
    public Codec Compression { get; init; } = Codec.None;

    /// <summary>A batch leaves at this size at the latest, bytes before compression, header included. A larger message is a batch of its own. Default 64 KiB.</summary>
    public int MaxBatchBytes { get; init; } = 64 * 1024;

    /// <summary>A batch leaves with this many messages at the latest, 1 to 65,536 (the default).</summary>
    public int MaxBatchRecords { get; init; } = ProtocolLimits.MaxRecordsPerFrame;

    /// <summary>
    /// A batch that is not full leaves at once while fewer than this many batches are unacknowledged; otherwise it fills until an acknowledgement
    /// comes in. 1 (the default) gives large batches under load and no delay without; more lets small batches overlap on a slow path. 1 to 64.
    /// </summary>
    public int MaxPartialBatches { get; init; } = 1;

    /// <summary>Memory bound: bytes of unacknowledged batches, at most what the broker allows (8 MiB, the default). Sends wait beyond it.</summary>
    public long WindowBytes { get; init; } = ProtocolLimits.DefaultProducerWindow;

    /// <summary>
    /// True: a batch holds messages of one key only, which spares key-shared subscriptions from sending a batch to several consumers. Up to 16 keys
    /// are collected at the same time; a further one sends the oldest batch off. Messages of one key keep their order; messages of different keys,
    /// and those without key, may overtake one another. Default false.
    /// </summary>
    public bool BatchByKey { get; init; }

    /// <summary>
    /// Largest message, bytes. One that does not fit into a frame travels in chunks, one offset each, and is put together again by the consumer; its
    /// id is that of the last chunk. Such a message has no attributes and no event time, its key is used for routing but not stored, and it is not
    /// compressed; <see cref="Producer.TryPost(ReadOnlySpan{byte})"/> does not take it. A consumer must allow as much
    /// (<see cref="ConsumerOptions.MaxChunkedBytes"/>). Default 64 MiB, at most 2 GiB.
    /// </summary>
    public int MaxMessageBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>Size of the frame that carries a chunk, 4 KiB to the frame limit. Smaller ones let other producers interleave more finely. Default 256 KiB.</summary>
    public int ChunkBytes { get; init; } = 256 * 1024;

    /// <summary>
    /// How long messages are sent again, in order and after growing pauses, while the broker refuses them for a reason that may pass
    /// (<see cref="DanubeException.Retryable"/>: a full disk, a backlog quota, a publish rate). Counted from when the message was taken or, when that was
    /// later, from the first refusal behind the last acknowledgement. Then they fail with the broker's error. Zero: they fail at once.
    /// <see cref="Timeout.InfiniteTimeSpan"/>: they never do. The same goes while the producer itself is refused after a reconnect (too many producers, a publish
    /// rate that former ones have overdrawn); what had been sent before the connection broke may be stored although it fails then. Time without a connection
    /// is bounded by <see cref="DanubeClientOptions.GiveUpAfter"/>. Default 30 s.
    /// </summary>
    public TimeSpan SendTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Told each time the broker refuses messages, or the producer after a reconnect, for a reason that may pass: they are sent again, see <see cref="SendTimeout"/>. Also while
    /// the producer is being made, when no broker serves its topic yet: it is asked for again as long as a request may take. Called on a receiving thread, which it must not block. Null for none.
    /// </summary>
    public Action<DanubeException>? OnRefused { get; init; }

    /// <summary>Told of every acknowledged batch, and of each chunk of a large message as a batch of one; null for none.</summary>
    public BatchAckHandler? OnAcknowledged { get; init; }

    internal void Validate()
    {
        ArgumentException.ThrowIfNullOrEmpty(Topic);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxBatchBytes, 256);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(MaxBatchBytes, ProtocolLimits.MaxNegotiableFrame);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxBatchRecords, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(MaxBatchRecords, ProtocolLimits.MaxRecordsPerFrame);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxPartialBatches, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(MaxPartialBatches, BatchWindow.MaxBatches);
        ArgumentOutOfRangeException.ThrowIfLessThan(WindowBytes, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxMessageBytes, 1);
        if (SendTimeout != Timeout.InfiniteTimeSpan)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(SendTimeout, TimeSpan.Zero);
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(ChunkBytes, 4 * 1024);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(ChunkBytes, ProtocolLimits.MaxNegotiableFrame);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((int)Compression, (int)Codec.Brotli);
    }
}
