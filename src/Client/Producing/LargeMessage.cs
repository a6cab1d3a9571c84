using System.Diagnostics;
using Danube.Fast.Protocol;

namespace Danube.Fast.Client;

/// <summary>What the header of a chunk says besides the fields of every frame.</summary>
/// <param name="Flags">First, last, both, or none.</param>
/// <param name="Index">Position in the message, from 0.</param>
/// <param name="MessageLength">Of the first: bytes of the whole message. Else 0.</param>
internal readonly record struct Chunk(FrameFlags Flags, ushort Index, uint MessageLength);

/// <summary>
/// A message above the frame limit on its way into batches, one for each chunk. It stands at the head of the queue of waiting sends until its last
/// chunk has found room, so that its chunks get consecutive sequences. Under the producer's lock.
/// </summary>
internal sealed class LargeMessage
{
    private const int MaxChunks = ushort.MaxValue + 1;

    private readonly ReadOnlyMemory<byte> _payload;
    private readonly int _chunkBytes;
    private int _at, _index;

    public LargeMessage(in OutgoingMessage message, SendOperation operation, int chunkBytes)
    {
        _payload = message.Payload;
        _chunkBytes = Math.Max(chunkBytes, (int)((_payload.Length + (MaxChunks - 1L)) / MaxChunks));
        Timing = message.Timing;
        HasKey = message.HasKey;
        KeyHash = message.HasKey ? Protocol.KeyHash.Compute(message.Key.Span) : 0;
        Operation = operation;
        Context = operation.Context;
        IsPost = operation.IsPost;
    }

    public FrameTiming Timing { get; }

    /// <summary>As <see cref="Batch.Context"/>.</summary>
    public Activity? Context { get; }

    /// <summary>Chunks have no room for a key: only its hash travels, in the header.</summary>
    public bool HasKey { get; }
    public ulong KeyHash { get; }
    public bool IsPost { get; }

    /// <summary>Who waits for it. Its own only as long as chunks are left.</summary>
    public SendOperation Operation { get; }

    public bool IsTaken => _at == _payload.Length;

    /// <summary>Bytes of the next chunk.</summary>
    public int NextLength => Math.Min(_chunkBytes, _payload.Length - _at);

    public ReadOnlySpan<byte> TakeChunk(out Chunk chunk)
    {
        ReadOnlySpan<byte> bytes = _payload.Span.Slice(_at, NextLength);
        FrameFlags flags = _at == 0 ? FrameFlags.ChunkBegin : FrameFlags.None;
        uint messageLength = _at == 0 ? (uint)_payload.Length : 0;
        _at += bytes.Length;
        chunk = new Chunk(flags | (IsTaken ? FrameFlags.ChunkEnd : FrameFlags.None), (ushort)_index++, messageLength);
        return bytes;
    }
}
