using System.Buffers;

namespace Danube.Fast.Protocol;

/// <summary>
/// Encodes and decodes version-1 frames. Control plane: decoding copies the payload, encoding an error builds its JSON. The hot
/// paths use <see cref="EnvelopeHeader"/> or version 2. Thread-safe.
/// </summary>
public static class EnvelopeCodec
{
    private static ReadOnlySpan<byte> NilPayload => "{}"u8;

    /// <summary>The whole frame of <paramref name="message"/>.</summary>
    /// <exception cref="ArgumentException">An id is too long or has no UTF-8 form, the type or the encoding is not of version 1, or a PLAIN error has no text.</exception>
    public static byte[] Encode(Envelope message, PayloadEncoding encoding)
    {
        var writer = new ArrayBufferWriter<byte>(ProtocolLimits.HeaderSize + (message.Payload?.Length ?? 0) + GobBytes.MaxOverhead);
        Encode(writer, message, encoding);
        return writer.WrittenSpan.ToArray();
    }

    /// <inheritdoc cref="Encode(Envelope, PayloadEncoding)"/>
    public static void Encode(IBufferWriter<byte> destination, Envelope message, PayloadEncoding encoding)
    {
        if (message.Type != FrameType.Error)
        {
            ReadOnlySpan<byte> nil = encoding == PayloadEncoding.Plain ? default : NilPayload;
            Write(destination, message, encoding, message.Payload is { } payload ? payload.Span : nil);
            return;
        }

        string text = message.Error ?? "";
        if (encoding != PayloadEncoding.Plain)
        {
            Write(destination, message, encoding, ErrorBodies.OfText(text));
            return;
        }

        if (text.Length == 0)
        {
            ThrowHelper.ErrorWithoutText();
        }

        byte[] plain = new byte[EnvelopeText.Measure(text, nameof(message))];
        EnvelopeText.Write(text, plain, nameof(message));
        Write(destination, message, encoding, plain);
    }

    /// <summary>An error frame (JSON) with code, channel, sequence and retry rule beside the text. The type of <paramref name="message"/> is taken as error.</summary>
    /// <exception cref="ArgumentException">An id is too long or has no UTF-8 form.</exception>
    public static byte[] EncodeError(Envelope message, ErrorPayload error)
    {
        var writer = new ArrayBufferWriter<byte>(ProtocolLimits.HeaderSize + 256);
        EncodeError(writer, message, error);
        return writer.WrittenSpan.ToArray();
    }

    /// <inheritdoc cref="EncodeError(Envelope, ErrorPayload)"/>
    public static void EncodeError(IBufferWriter<byte> destination, Envelope message, ErrorPayload error)
    {
        byte[] json = ErrorBodies.Write(error);
        Span<byte> frame = destination.GetSpan(ProtocolLimits.HeaderSize + json.Length);
        EnvelopeHeaderWriter.Write(
            frame, FrameType.Error, PayloadEncoding.Json, (uint)json.Length, message.Id, message.Source, message.Target, message.CorrelationId);
        json.CopyTo(frame[ProtocolLimits.HeaderSize..]);
        destination.Advance(ProtocolLimits.HeaderSize + json.Length);
    }

    /// <summary>Decodes one whole frame. Never throws on what a peer sent.</summary>
    /// <param name="frame">Exactly one frame (lenient: more may follow).</param>
    /// <param name="mode">Strict for everything that comes from a socket.</param>
    /// <param name="maxFrame">Limit of header and payload in bytes, checked before anything is allocated.</param>
    /// <param name="message">The message, null when the answer is false.</param>
    /// <param name="error">Why not.</param>
    public static bool TryDecode(ReadOnlySpan<byte> frame, EnvelopeMode mode, int maxFrame, out Envelope? message, out ErrorCode error)
    {
        message = null;
        error = CheckHeader(frame, mode, maxFrame);
        if (error != ErrorCode.None)
        {
            return false;
        }

        var header = new EnvelopeHeader(frame);
        ReadOnlySpan<byte> body = frame.Slice(ProtocolLimits.HeaderSize, (int)header.PayloadLength);
        bool isGob = header.Encoding == PayloadEncoding.Gob;
        if (isGob && !GobBytes.TryRead(body, mode, out body))
        {
            error = ErrorCode.BadPayload;
            return false;
        }

        FrameType type = header.Type > FrameType.Error ? FrameType.Request : header.Type;
        string? text = null;
        if (type == FrameType.Error && !TryReadError(body, header.Encoding, mode, out text))
        {
            error = ErrorCode.BadPayload;
            return false;
        }

        // An empty gob slice is nil to the reference; an empty JSON or PLAIN payload is not.
        ReadOnlyMemory<byte>? copy = isGob && body.IsEmpty ? default(ReadOnlyMemory<byte>?) : body.ToArray();
        message = new Envelope
        {
            Type = type,
            Id = EnvelopeText.Read(header.Id),
            Source = EnvelopeText.Read(header.Source),
            Target = EnvelopeText.Read(header.Target),
            CorrelationId = EnvelopeText.Read(header.CorrelationId),
            Error = text,
            Encoding = header.Encoding,
            Payload = type == FrameType.Error ? null : copy,
            ErrorBody = type == FrameType.Error ? copy : null,
        };
        return true;
    }

    private static ErrorCode CheckHeader(ReadOnlySpan<byte> frame, EnvelopeMode mode, int maxFrame)
    {
        bool strict = mode == EnvelopeMode.Strict;
        if (frame.Length >= 2 && (frame[0] != 0x56 || frame[1] != 0x32))
        {
            return ErrorCode.BadMagic;
        }

        if (frame.Length < ProtocolLimits.HeaderSize)
        {
            return ErrorCode.BadPayload;
        }

        var header = new EnvelopeHeader(frame);
        if (header.Encoding > PayloadEncoding.Plain)
        {
            return ErrorCode.BadEncoding;
        }

        if (strict && header.Version != 1)
        {
            return ErrorCode.BadVersion;
        }

        if (strict && header.Type > FrameType.Error)
        {
            return ErrorCode.BadType;
        }

        if (strict && header.Reserved != 0)
        {
            return ErrorCode.ReservedNotZero;
        }

        long length = ProtocolLimits.HeaderSize + (long)header.PayloadLength;
        if (length > maxFrame)
        {
            return ErrorCode.FrameTooLarge;
        }

        return length > frame.Length || (strict && length != frame.Length) ? ErrorCode.BadPayload : ErrorCode.None;
    }

    private static bool TryReadError(ReadOnlySpan<byte> body, PayloadEncoding encoding, EnvelopeMode mode, out string? text)
    {
        if (encoding != PayloadEncoding.Plain)
        {
            return ErrorBodies.TryReadText(body, mode, out text);
        }

        text = EnvelopeText.Read(body);
        return mode == EnvelopeMode.Lenient || text.Length > 0;
    }

    private static void Write(IBufferWriter<byte> destination, Envelope message, PayloadEncoding encoding, ReadOnlySpan<byte> body)
    {
        Span<byte> prefix = stackalloc byte[GobBytes.MaxOverhead];
        long longest = ProtocolLimits.HeaderSize + (long)GobBytes.MaxOverhead + body.Length;
        if (longest > Array.MaxLength)
        {
            ThrowHelper.PayloadTooLong(longest);
        }

        prefix = encoding == PayloadEncoding.Gob ? prefix[..GobBytes.WritePrefix(prefix, body.Length)] : default;
        int payloadLength = prefix.Length + body.Length;
        Span<byte> frame = destination.GetSpan(ProtocolLimits.HeaderSize + payloadLength);
        EnvelopeHeaderWriter.Write(
            frame, message.Type, encoding, (uint)payloadLength, message.Id, message.Source, message.Target, message.CorrelationId);
        prefix.CopyTo(frame[ProtocolLimits.HeaderSize..]);
        body.CopyTo(frame[(ProtocolLimits.HeaderSize + prefix.Length)..]);
        destination.Advance(ProtocolLimits.HeaderSize + payloadLength);
    }
}
