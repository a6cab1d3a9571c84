namespace Danube.Fast.Protocol;

/// <summary>A stored frame inside a run: views over the run's bytes.</summary>
public readonly ref struct StoredFrame
{
    internal StoredFrame(ReadOnlySpan<byte> bytes, int payloadLength)
    {
        Bytes = bytes;
        Payload = bytes.Slice(ProtocolLimits.HeaderSize, payloadLength);
    }

    /// <summary>Header, payload and padding.</summary>
    public ReadOnlySpan<byte> Bytes { get; }
    public StreamHeader Header => new(Bytes);

    /// <summary>The payload as it is stored; compressed when the header names a codec. <see cref="Compression.TryUnpack"/> gives the records.</summary>
    public ReadOnlySpan<byte> Payload { get; }

    /// <summary>True when the bytes behind the payload are zero.</summary>
    public bool HasZeroPadding => !Bytes[(ProtocolLimits.HeaderSize + Payload.Length)..].ContainsAnyExcept((byte)0);

    /// <summary>Checks the header CRC and the content CRC: the whole frame is what the producer sent and the broker stamped.</summary>
    public bool IsIntact
    {
        get
        {
            StreamHeader header = Header;
            return header.HasValidHeaderCrc && header.HasValidContentCrc(Payload);
        }
    }
}

/// <summary>
/// Walks the stored frames of a run, each padded to 8 bytes. It trusts nothing about the bytes: what is not a whole frame ends the
/// walk. CRCs are left to the caller (<see cref="StoredFrame.IsIntact"/>). Runs on: the thread that holds the bytes.
/// </summary>
public ref struct RunReader
{
    private ReadOnlySpan<byte> _rest;

    public RunReader(ReadOnlySpan<byte> run) => _rest = run;

    /// <summary>Bytes not yet read. Not 0 after <see cref="TryRead"/> has answered false: the run is damaged there.</summary>
    public readonly int Remaining => _rest.Length;

    /// <summary>Reads the next frame. False at the end or where the bytes are not a whole stored frame.</summary>
    public bool TryRead(out StoredFrame frame)
    {
        frame = default;
        if (_rest.Length < ProtocolLimits.HeaderSize)
        {
            return false;
        }

        var header = new StreamHeader(_rest);
        uint payload = header.PayloadLength;
        if (!header.HasMagic || header.Version != 2 || header.Type != FrameType.Publish || payload > (uint)(_rest.Length - ProtocolLimits.HeaderSize))
        {
            return false;
        }

        long length = (ProtocolLimits.HeaderSize + (long)payload + (ProtocolLimits.FrameAlignment - 1)) & ~(ProtocolLimits.FrameAlignment - 1L);
        if (length > _rest.Length)
        {
            return false;
        }

        frame = new StoredFrame(_rest[..(int)length], (int)payload);
        _rest = _rest[(int)length..];
        return true;
    }
}
