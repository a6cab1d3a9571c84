using System.Buffers.Binary;

namespace Danube.Fast.Protocol;

/// <summary>
/// A view over the 128 bytes of a version-1 header. It checks nothing (<see cref="FrameScanner"/> does), owns nothing and allocates
/// nothing. Ids are the bytes up to the first NUL. Source: wire protocol, "Version 1, the envelope".
/// </summary>
public readonly ref struct EnvelopeHeader
{
    internal const int ReservedAt = 5, IdAt = 12, SourceAt = 44, TargetAt = 76, CorrelationAt = 108;

    /// <summary>Longest message, source and target id, in bytes.</summary>
    public const int MaxIdLength = 32;

    /// <summary>Longest correlation id, in bytes.</summary>
    public const int MaxCorrelationIdLength = 20;

    private readonly ReadOnlySpan<byte> _bytes;

    /// <param name="bytes">At least 128 bytes; more are ignored.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are fewer than 128 bytes.</exception>
    public EnvelopeHeader(ReadOnlySpan<byte> bytes) => _bytes = bytes[..ProtocolLimits.HeaderSize];

    public ReadOnlySpan<byte> Bytes => _bytes;
    public bool HasMagic => _bytes[0] == 0x56 && _bytes[1] == 0x32;
    public byte Version => _bytes[2];
    public PayloadEncoding Encoding => (PayloadEncoding)_bytes[3];
    public FrameType Type => (FrameType)_bytes[StreamHeader.TypeAt];

    /// <summary>Bytes 5 to 7 as one number; 0 in every legal frame.</summary>
    public int Reserved => (_bytes[ReservedAt] << 16) | (_bytes[ReservedAt + 1] << 8) | _bytes[ReservedAt + 2];
    public uint PayloadLength => BinaryPrimitives.ReadUInt32BigEndian(_bytes[StreamHeader.LengthAt..]);
    public ReadOnlySpan<byte> Id => UpToNul(_bytes.Slice(IdAt, MaxIdLength));
    public ReadOnlySpan<byte> Source => UpToNul(_bytes.Slice(SourceAt, MaxIdLength));
    public ReadOnlySpan<byte> Target => UpToNul(_bytes.Slice(TargetAt, MaxIdLength));
    public ReadOnlySpan<byte> CorrelationId => UpToNul(_bytes.Slice(CorrelationAt, MaxCorrelationIdLength));

    private static ReadOnlySpan<byte> UpToNul(ReadOnlySpan<byte> field)
    {
        int end = field.IndexOf((byte)0);
        return end < 0 ? field : field[..end];
    }
}

/// <summary>Writes version-1 headers in place. Allocates nothing.</summary>
public static class EnvelopeHeaderWriter
{
    /// <summary>Writes all 128 bytes.</summary>
    /// <exception cref="ArgumentException">An id is too long (it is never cut), or <paramref name="header"/> has fewer than 128 bytes.</exception>
    public static void Write(
        Span<byte> header, FrameType type, PayloadEncoding encoding, uint payloadLength,
        ReadOnlySpan<byte> id, ReadOnlySpan<byte> source, ReadOnlySpan<byte> target, ReadOnlySpan<byte> correlationId)
    {
        WritePrologue(header, type, encoding, payloadLength);
        Put(header, EnvelopeHeader.IdAt, EnvelopeHeader.MaxIdLength, id, nameof(id));
        Put(header, EnvelopeHeader.SourceAt, EnvelopeHeader.MaxIdLength, source, nameof(source));
        Put(header, EnvelopeHeader.TargetAt, EnvelopeHeader.MaxIdLength, target, nameof(target));
        Put(header, EnvelopeHeader.CorrelationAt, EnvelopeHeader.MaxCorrelationIdLength, correlationId, nameof(correlationId));
    }

    /// <summary>The same from strings, see <see cref="Envelope"/> for how they are encoded.</summary>
    /// <exception cref="ArgumentException">As above, or a string is not valid UTF-16.</exception>
    public static void Write(
        Span<byte> header, FrameType type, PayloadEncoding encoding, uint payloadLength, string id, string source, string target, string correlationId)
    {
        WritePrologue(header, type, encoding, payloadLength);
        EnvelopeText.Write(id, header.Slice(EnvelopeHeader.IdAt, EnvelopeHeader.MaxIdLength), nameof(id));
        EnvelopeText.Write(source, header.Slice(EnvelopeHeader.SourceAt, EnvelopeHeader.MaxIdLength), nameof(source));
        EnvelopeText.Write(target, header.Slice(EnvelopeHeader.TargetAt, EnvelopeHeader.MaxIdLength), nameof(target));
        EnvelopeText.Write(correlationId, header.Slice(EnvelopeHeader.CorrelationAt, EnvelopeHeader.MaxCorrelationIdLength), nameof(correlationId));
    }

    /// <summary>Replaces the source id and leaves everything else as it is.</summary>
    /// <exception cref="ArgumentException">It is too long.</exception>
    public static void SetSource(Span<byte> header, string source)
    {
        Span<byte> field = header.Slice(EnvelopeHeader.SourceAt, EnvelopeHeader.MaxIdLength);
        field.Clear();
        EnvelopeText.Write(source, field, nameof(source));
    }

    private static void WritePrologue(Span<byte> header, FrameType type, PayloadEncoding encoding, uint payloadLength)
    {
        if (header.Length < ProtocolLimits.HeaderSize)
        {
            ThrowHelper.ShortHeader(header.Length);
        }

        if (type > FrameType.Error || encoding > PayloadEncoding.Plain)
        {
            ThrowHelper.NotAnEnvelope(type, encoding);
        }

        header[..ProtocolLimits.HeaderSize].Clear();
        header[0] = 0x56;
        header[1] = 0x32;
        header[2] = 1;
        header[3] = (byte)encoding;
        header[StreamHeader.TypeAt] = (byte)type;
        BinaryPrimitives.WriteUInt32BigEndian(header[StreamHeader.LengthAt..], payloadLength);
    }

    private static void Put(Span<byte> header, int at, int size, ReadOnlySpan<byte> value, string name)
    {
        if (value.Length > size)
        {
            ThrowHelper.IdTooLong(name, value.Length, size);
        }

        value.CopyTo(header[at..]);
    }
}
