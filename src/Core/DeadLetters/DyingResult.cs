using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

/// <summary>What the move of a range has come to besides itself. By its writer, then by the subscription.</summary>
internal sealed class DyingResult
{
    /// <summary>How far behind mark-delete chunks are moved with their first one: a longer cursor could not be saved.</summary>
    public const long MaxReach = CursorCodec.MaxSpan - (2 * ProtocolLimits.MaxRecordsPerFrame);

    /// <summary>Chunks that were moved with a message that begins in the range, each with the offset of the first chunk.</summary>
    public Dictionary<long, long> Moved { get; } = [];

    /// <summary>Offsets that have been in the dead-letter topic: they stay, and are delivered for ever.</summary>
    public HashSet<long> Circling { get; } = [];

    /// <summary>Forgets messages that begin at or above an offset: what was stored of them is not all, so they are moved anew.</summary>
    public void ForgetFrom(long offset)
    {
        foreach ((long chunk, long first) in Moved)
        {
            if (first >= offset)
            {
                Moved.Remove(chunk);
            }
        }
    }
}
