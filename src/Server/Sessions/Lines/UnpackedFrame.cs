using System.Buffers;
using Danube.Fast.Protocol;

namespace Danube.Fast.Server.Sessions.Lines;

/// <summary>
/// The records of the one frame that a session is reading at the moment. One per session: memory stays bounded by one frame before
/// compression, whatever the peer subscribes to. Runs on: the pump.
/// </summary>
internal sealed class UnpackedFrame(int maxRawLength)
{
    private byte[]? _scratch;
    private ReadOnlyMemory<byte> _records;
    private object? _owner;
    private int _at;
    private bool _isBare;

    /// <summary>Makes the frame at <paramref name="at"/> of <paramref name="owner"/> the current one. False: it cannot be unpacked.</summary>
    public bool TryLoad(object owner, int at, ReadOnlyMemory<byte> frame)
    {
        if (ReferenceEquals(_owner, owner) && _at == at)
        {
            return true;
        }

        Forget();
        var run = new RunReader(frame.Span);
        if (!run.TryRead(out StoredFrame stored))
        {
            return false;
        }

        // What a chunk says about its length may be that of the whole message.
        ReadOnlySpan<byte> records = stored.Payload;
        if (!stored.Header.IsChunk && !Compression.TryUnpack(stored, maxRawLength, ref _scratch, out records))
        {
            return false;
        }

        // The broker cannot look into a compressed frame when it is published: all of it is good, or nothing is shown.
        bool isPacked = !stored.Header.IsChunk && stored.Header.Codec != Codec.None;
        if (isPacked && (stored.Header.Flags & FrameFlags.Bare) == 0 && !RecordReader.Walk(records, stored.Header.RecordCount))
        {
            return false;
        }

        _records = stored.Header.Codec == Codec.None ? frame.Slice(ProtocolLimits.HeaderSize, records.Length) : _scratch.AsMemory(0, records.Length);
        (_owner, _at, _isBare) = (owner, at, stored.Header.IsChunk || (stored.Header.Flags & FrameFlags.Bare) != 0);
        return true;
    }

    /// <summary>Length of the record at a position of the current frame. False when no whole record lies there.</summary>
    public bool TryMeasure(int at, out int length)
    {
        ReadOnlySpan<byte> rest = _records.Span[at..];
        length = rest.Length;
        if (_isBare)
        {
            return true;
        }

        var reader = new RecordReader(rest);
        if (!reader.TryRead(out _))
        {
            return false;
        }

        length = rest.Length - reader.Remaining;
        return true;
    }

    public Record Read(int at, int length)
    {
        ReadOnlySpan<byte> bytes = _records.Span.Slice(at, length);
        if (_isBare)
        {
            return Record.OfBare(bytes);
        }

        new RecordReader(bytes).TryRead(out Record record);
        return record;
    }

    /// <summary>Gives the memory back.</summary>
    public void Forget()
    {
        _owner = null;
        _records = default;
        if (_scratch is { } scratch)
        {
            _scratch = null;
            ArrayPool<byte>.Shared.Return(scratch);
        }
    }
}
