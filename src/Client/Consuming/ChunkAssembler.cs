using Danube.Fast.Protocol;

namespace Danube.Fast.Client;

/// <summary>A large message of which the beginning is here. Runs on: the reader.</summary>
internal sealed class OpenMessage
{
    /// <summary>The channel opening and epoch it belongs to: after another opening or a seek it begins anew.</summary>
    public required ConsumerSession Session { get; init; }
    public required uint Epoch { get; init; }
    public required ulong ProducerId { get; init; }

    /// <summary>Sequence of its first chunk, which tells it from other messages of the producer.</summary>
    public required ulong FirstSequence { get; init; }

    /// <summary>True when frames may come in another order than they are stored: it is delayed, or redelivered.</summary>
    public required bool MayBeOvertaken { get; init; }

    /// <summary>Null when there was no room for it: its chunks are given back.</summary>
    public byte[]? Bytes { get; set; }
    public ChunkSet? Chunks { get; set; }
    public int Filled { get; set; }
    public int NextIndex { get; set; }
    public long LastProgress { get; set; }
    public bool IsRefused => Bytes is null;

    /// <summary>False: its bytes are a packed record with key, attributes and event time, as of a dead letter.</summary>
    public bool IsBare { get; init; }

    /// <summary>With which its chunks are given back when it is refused.</summary>
    public NackReason Reason { get; init; }
    public ulong NextSequence => FirstSequence + (ulong)NextIndex;
    public bool IsCurrent => Session.IsCurrent(Epoch);
}

/// <summary>
/// The large messages of a consumer that are being put together, bounded in number and in bytes (the whole length counts from the first chunk on).
/// Those for which there was no room are remembered too, so that their later chunks are recognised. Runs on: the reader.
/// </summary>
internal sealed class ChunkAssembler(long maxBytes, TimeProvider time)
{
    public const int MaxOpen = 16, MaxRefused = 64;

    // A message without progress for this long may be one that nobody will end; it makes room for others.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly List<OpenMessage> _messages = [];
    private int _open;
    private long _reserved;

    public int Count => _messages.Count;
    public OpenMessage this[int index] => _messages[index];

    public OpenMessage? Find(ConsumerSession session, ulong producerId, ulong firstSequence)
    {
        foreach (OpenMessage message in _messages)
        {
            if (message.FirstSequence == firstSequence && message.ProducerId == producerId && message.Session == session)
            {
                return message;
            }
        }

        return null;
    }

    /// <summary>True when a message of this length can be opened now.</summary>
    public bool HasRoom(long length) => _open < MaxOpen && _reserved + length <= maxBytes;

    /// <summary>True when a message of this length can be opened at all.</summary>
    public bool CanHold(long length) => length <= Math.Min(maxBytes, Array.MaxLength);

    /// <summary>The message that has waited longest for its next chunk, when that is long; null when all of them move.</summary>
    public OpenMessage? FindStalled()
    {
        OpenMessage? oldest = null;
        foreach (OpenMessage message in _messages)
        {
            if (!message.IsRefused && (oldest is null || message.LastProgress < oldest.LastProgress))
            {
                oldest = message;
            }
        }

        return oldest is not null && time.GetElapsedTime(oldest.LastProgress) >= Patience ? oldest : null;
    }

    public void Add(OpenMessage message)
    {
        _messages.Add(message);
        _open += message.IsRefused ? 0 : 1;
        _reserved += message.Bytes?.Length ?? 0;
        Touch(message);
        for (int i = 0; _messages.Count - _open > MaxRefused; i++)
        {
            if (_messages[i].IsRefused)
            {
                _messages.RemoveAt(i);
            }
        }
    }

    public void Touch(OpenMessage message) => message.LastProgress = time.GetTimestamp();

    /// <summary>Gives the memory of a message up; the later chunks are still recognised.</summary>
    public void Refuse(OpenMessage message)
    {
        Free(message);
        message.Bytes = null;
        message.Chunks = null;
    }

    public void Remove(OpenMessage message)
    {
        Free(message);
        _messages.Remove(message);
    }

    private void Free(OpenMessage message)
    {
        _open -= message.IsRefused ? 0 : 1;
        _reserved -= message.Bytes?.Length ?? 0;
    }
}
