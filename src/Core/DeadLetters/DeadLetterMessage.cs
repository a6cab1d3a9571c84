using System.Buffers;
using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

/// <summary>
/// Makes a dead letter of a large message: a first frame with the attributes, then its chunks in order, each with the next index. One use.
/// </summary>
/// <param name="subscription">Where it comes from.</param>
/// <param name="range">What it is part of.</param>
/// <param name="frames">Makes the frames.</param>
/// <param name="id">Its message id: the offset of the last chunk.</param>
/// <param name="bytes">Bytes in all its chunks.</param>
internal sealed class DeadLetterMessage(Subscription subscription, DyingRange range, DeadLetterFrames frames, long id, long bytes)
{
    private byte[] _attributes = [];
    private long _lastSeen = -1;
    private int _index;
    private bool _hasBegun;

    /// <summary>The frame built last is the last one.</summary>
    public bool IsOver { get; private set; }

    /// <summary>Looks at the first chunk. False when the message has to go chunk by chunk: its head is not in the first, or it is too long for one more.</summary>
    /// <param name="firstChunk">The run that begins with it.</param>
    /// <param name="target">The dead-letter topic.</param>
    /// <param name="circles">True: it has been there.</param>
    public bool TryBegin(ReadOnlySpan<byte> firstChunk, string target, out bool circles)
    {
        circles = false;
        var reader = new RunReader(firstChunk);
        if (!reader.TryRead(out StoredFrame chunk) || !StoredMessage.TryReadHead(chunk, out Record record)
            || bytes + record.PackedAttributes.Length + DeadLetterAttributes.MaxBytes > uint.MaxValue)
        {
            return false;
        }

        circles = DeadLetterAttributes.HasBeenIn(record.PackedAttributes, target);
        byte[] room = ArrayPool<byte>.Shared.Rent(record.PackedAttributes.Length + DeadLetterAttributes.MaxBytes);
        _attributes = DeadLetterAttributes.Pack(subscription, range, id, chunk.Header.Generation, record.PackedAttributes, -1, room).ToArray();
        ArrayPool<byte>.Shared.Return(room);
        return true;
    }

    /// <summary>Builds the next frame of a stored chunk, the first one has two; false when there is none.</summary>
    public bool TryNext(ReadOnlySpan<byte> run, ulong sequence, out byte[]? frame)
    {
        frame = null;
        var reader = new RunReader(run);
        if (!reader.TryRead(out StoredFrame chunk))
        {
            throw new IOException("The log holds no frame where a chunk was.");
        }

        StreamHeader header = chunk.Header;
        if (header.Offset == _lastSeen)
        {
            return false;
        }

        ReadOnlySpan<byte> payload = chunk.Payload;
        if ((header.Flags & FrameFlags.ChunkBegin) != 0)
        {
            StoredMessage.TryReadHead(chunk, out Record record);
            payload = record.Payload;
            if (!_hasBegun)
            {
                _hasBegun = true;
                _index = 1;
                frame = frames.BeginMessage(header, record, _attributes, bytes - (chunk.Payload.Length - payload.Length), sequence);

                // A first chunk that has nothing but the head is replaced.
                _lastSeen = payload.IsEmpty ? header.Offset : -1;
                return true;
            }
        }

        _lastSeen = header.Offset;
        IsOver = (header.Flags & FrameFlags.ChunkEnd) != 0;
        frame = frames.NextChunk(header, payload, _index++, sequence);
        return true;
    }
}
