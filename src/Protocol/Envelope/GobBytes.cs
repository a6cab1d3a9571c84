namespace Danube.Fast.Protocol;

/// <summary>
/// The one gob value a version-1 payload can be: a byte slice in a message of its own, <c>uint(rest) 0A 00 uint(n) bytes</c>. A gob
/// uint below 128 is one byte; above, the first byte is 256 minus the number of big-endian bytes that follow.
/// </summary>
internal static class GobBytes
{
    /// <summary>Longest wrapping: two uints of five bytes, type id and zero.</summary>
    public const int MaxOverhead = 12;

    private const byte ByteSliceType = 0x0A;

    /// <summary>Writes what stands before the bytes; returns its length.</summary>
    public static int WritePrefix(Span<byte> destination, int length)
    {
        Span<byte> inner = stackalloc byte[5];
        int innerLength = WriteUInt(inner, (uint)length);
        int at = WriteUInt(destination, (uint)(2 + innerLength + length));
        destination[at] = ByteSliceType;
        destination[at + 1] = 0;
        inner[..innerLength].CopyTo(destination[(at + 2)..]);
        return at + 2 + innerLength;
    }

    /// <summary>Finds the bytes in <paramref name="message"/>. Strict demands the shortest numbers and nothing behind the message.</summary>
    public static bool TryRead(ReadOnlySpan<byte> message, EnvelopeMode mode, out ReadOnlySpan<byte> bytes)
    {
        bytes = default;
        bool strict = mode == EnvelopeMode.Strict;
        int at = ReadUInt(message, strict, out ulong rest);
        if (at == 0 || rest > (ulong)(message.Length - at) || rest < 3)
        {
            return false;
        }

        if (strict && at + (int)rest != message.Length)
        {
            return false;
        }

        ReadOnlySpan<byte> body = message.Slice(at, (int)rest);
        if (body[0] != ByteSliceType || body[1] != 0)
        {
            return false;
        }

        int innerLength = ReadUInt(body[2..], strict, out ulong length);
        if (innerLength == 0 || length != (ulong)(body.Length - 2 - innerLength))
        {
            return false;
        }

        bytes = body[(2 + innerLength)..];
        return true;
    }

    private static int WriteUInt(Span<byte> destination, uint value)
    {
        if (value < 128)
        {
            destination[0] = (byte)value;
            return 1;
        }

        int count = value <= 0xFF ? 1 : value <= 0xFFFF ? 2 : value <= 0xFFFFFF ? 3 : 4;
        destination[0] = (byte)(256 - count);
        for (int i = 0; i < count; i++)
        {
            destination[1 + i] = (byte)(value >> (8 * (count - 1 - i)));
        }

        return 1 + count;
    }

    /// <summary>Bytes read; 0 when they are not a number.</summary>
    private static int ReadUInt(ReadOnlySpan<byte> bytes, bool strict, out ulong value)
    {
        value = 0;
        if (bytes.IsEmpty)
        {
            return 0;
        }

        if (bytes[0] < 128)
        {
            value = bytes[0];
            return 1;
        }

        int count = 256 - bytes[0];
        if (count > 8 || bytes.Length <= count)
        {
            return 0;
        }

        foreach (byte b in bytes.Slice(1, count))
        {
            value = (value << 8) | b;
        }

        bool shortest = value >= 128 && bytes[1] != 0;
        return strict && !shortest ? 0 : 1 + count;
    }
}
