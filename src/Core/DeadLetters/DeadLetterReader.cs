using System.Buffers;
using Danube.Fast.Protocol;

namespace Danube.Fast.Core;

/// <summary>
/// Makes dead letters of the records of one stored frame, one after the other: key, payload, event time, attributes, publish time, schema and
/// trace stay, <see cref="DeadLetterAttributes"/> are added. A frame that cannot be unpacked is passed on as it is, with all its records. A
/// chunk becomes a record of its own: who calls has found that its message is not whole.
/// </summary>
internal sealed class DeadLetterReader(Subscription subscription, DyingRange range, DeadLetterFrames frames, string target, ReadOnlyMemory<byte> run) : IDisposable
{
    private byte[]? _scratch;
    private int _unpackedLength = -1;

    // Where the record behind the last one begins.
    private long _offset = -1;
    private int _at;

    /// <summary>Offset behind what was built last.</summary>
    public long Next { get; private set; }

    /// <summary>The record at hand has been in the dead-letter topic: nothing was made of it.</summary>
    public bool Circles { get; private set; }

    /// <summary>Builds the frames of the next record at or above <paramref name="from"/>; false when the frame has no more of the range.</summary>
    /// <param name="from">First offset wanted.</param>
    /// <param name="sequence">Next sequence of the writing producer.</param>
    /// <param name="made">Null when the record was acknowledged meanwhile, or <see cref="Circles"/>.</param>
    public bool TryBuild(long from, ulong sequence, out List<byte[]>? made)
    {
        made = null;
        Circles = false;
        var reader = new RunReader(run.Span);
        if (!reader.TryRead(out StoredFrame stored))
        {
            throw new IOException($"The log holds no frame at offset {from}.");
        }

        StreamHeader header = stored.Header;
        Next = Math.Max(from, header.Offset);
        if (Next >= Math.Min(range.End, header.EndOffset))
        {
            return false;
        }

        if (!TryUnpack(stored, out ReadOnlySpan<byte> records))
        {
            made = [frames.PassOn(stored, sequence)];
            Next = header.EndOffset;
            return true;
        }

        bool isBare = header.IsChunk || (header.Flags & FrameFlags.Bare) != 0;
        Record record = isBare ? Record.OfBare(records) : Find(header, records);
        if (subscription.NextUnacknowledged(Next) == Next)
        {
            Circles = DeadLetterAttributes.HasBeenIn(record.PackedAttributes, target);
            made = Circles ? null : Build(header, record, sequence);
        }

        Next++;
        return true;
    }

    public void Dispose()
    {
        if (_scratch is { } scratch)
        {
            _scratch = null;
            ArrayPool<byte>.Shared.Return(scratch);
        }
    }

    /// <summary>The records, inflated once; false when that cannot be done.</summary>
    private bool TryUnpack(StoredFrame stored, out ReadOnlySpan<byte> records)
    {
        if (stored.Header.IsChunk)
        {
            // Its length may be that of the whole message.
            records = stored.Payload;
            return true;
        }

        if (_unpackedLength >= 0)
        {
            records = _scratch.AsSpan(0, _unpackedLength);
            return true;
        }

        bool unpacked = Compression.TryUnpack(stored, ProtocolLimits.MaxNegotiableFrame, ref _scratch, out records);
        _unpackedLength = unpacked && stored.Header.Codec != Codec.None ? records.Length : -1;
        return unpacked;
    }

    /// <summary>The record at <see cref="Next"/>: on from the last one, or from the beginning when there is none in front of it.</summary>
    private Record Find(StreamHeader header, ReadOnlySpan<byte> records)
    {
        if (_offset < 0 || _offset > Next)
        {
            (_offset, _at) = (header.Offset, 0);
        }

        var reader = new RecordReader(records[_at..]);
        Record record;
        do
        {
            if (!reader.TryRead(out record))
            {
                throw new IOException("A stored frame holds fewer records than its header says.");
            }
        }
        while (_offset++ < Next);
        _at = records.Length - reader.Remaining;
        return record;
    }

    private List<byte[]> Build(StreamHeader header, in Record record, ulong sequence)
    {
        byte[] room = ArrayPool<byte>.Shared.Rent(record.PackedAttributes.Length + DeadLetterAttributes.MaxBytes);
        try
        {
            ReadOnlySpan<byte> attributes = DeadLetterAttributes.Pack(
                subscription, range, Next, header.Generation, record.PackedAttributes, header.IsChunk ? header.Attributes : -1, room);
            return frames.OfRecord(header, record, attributes, sequence);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(room);
        }
    }
}
