namespace Danube.Fast.Protocol;

/// <summary>Byte 5 of a publish frame. The low three bits are the <see cref="Codec"/>. Append-only.</summary>
[Flags]
public enum FrameFlags : byte
{
    None = 0,
    CodecMask = 0x07,

    /// <summary>First chunk of a large message. Chunks are bare; their index is in the header's attributes.</summary>
    ChunkBegin = 0x08,

    /// <summary>Last chunk of a large message.</summary>
    ChunkEnd = 0x10,

    /// <summary>The payload is one message without record framing, key or attributes.</summary>
    Bare = 0x20,

    /// <summary>The trace context is sampled (W3C).</summary>
    Sampled = 0x40,

    /// <summary>All records of the frame share one key, whose hash is in the header.</summary>
    OneKey = 0x80,
}

/// <summary>Compression of the packed records of a frame. Append-only; unknown values are refused.</summary>
public enum Codec : byte
{
    /// <summary>The records as they are.</summary>
    None = 0,

    /// <summary>Raw DEFLATE (RFC 1951).</summary>
    Deflate = 1,

    /// <summary>Brotli (RFC 7932).</summary>
    Brotli = 2,
}
