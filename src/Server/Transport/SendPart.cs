using Danube.Fast.Core;

namespace Danube.Fast.Server.Transport;

/// <summary>One contiguous piece of a send queue: either a range of a chunk or (the rest of) a run of the log.</summary>
internal struct SendPart
{
    /// <summary>The chunk that holds the bytes; null for a run.</summary>
    public SendChunk? Chunk;
    public LogRun Run;
    public int Start;
    public int Length;

    public readonly ReadOnlyMemory<byte> Bytes => Chunk is { } chunk ? chunk.Array.AsMemory(Start, Length) : Run.Bytes.Slice(Start, Length);
}
