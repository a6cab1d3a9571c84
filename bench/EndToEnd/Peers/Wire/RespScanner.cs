using System.Buffers.Text;

namespace Danube.Fast.Bench.Peers.Wire;

/// <summary>Kinds of RESP2 tokens.</summary>
internal enum RespKind
{
    Simple,
    Error,
    Integer,
    Bulk,

    /// <summary>The head of an array: <see cref="RespToken.Number"/> elements follow as tokens of their own.</summary>
    Array,

    /// <summary>A bulk string or an array that is not there.</summary>
    Null,
}

/// <summary>One token of a reply: a view into the receive buffer.</summary>
internal readonly ref struct RespToken
{
    public RespKind Kind { get; init; }

    /// <summary>Of integers the value, of arrays the number of elements.</summary>
    public long Number { get; init; }

    /// <summary>Of simple strings, errors and bulk strings.</summary>
    public ReadOnlySpan<byte> Text { get; init; }
}

/// <summary>Splits the stream of bytes of a Redis server into tokens, so that a large nested reply needs no second look from its start.</summary>
internal static class RespScanner
{
    /// <summary>Length of the token at the start of <paramref name="bytes"/>; 0 = more bytes are needed.</summary>
    /// <exception cref="InvalidDataException">This is not the protocol.</exception>
    public static int Scan(ReadOnlySpan<byte> bytes, out RespToken token)
    {
        token = default;
        int end = bytes.IndexOf("\r\n"u8);
        if (end < 0)
        {
            return 0;
        }

        ReadOnlySpan<byte> text = bytes[1..end];
        switch (bytes[0])
        {
            case (byte)'+':
                token = new RespToken { Kind = RespKind.Simple, Text = text };
                return end + 2;
            case (byte)'-':
                token = new RespToken { Kind = RespKind.Error, Text = text };
                return end + 2;
            case (byte)':':
                token = new RespToken { Kind = RespKind.Integer, Number = Number(text) };
                return end + 2;
            case (byte)'*':
                long elements = Number(text);
                token = new RespToken { Kind = elements < 0 ? RespKind.Null : RespKind.Array, Number = Math.Max(0, elements) };
                return end + 2;
            case (byte)'$':
                return ScanBulk(bytes, Number(text), end + 2, out token);
            default:
                throw new InvalidDataException($"A RESP token cannot begin with 0x{bytes[0]:x2}.");
        }
    }

    private static int ScanBulk(ReadOnlySpan<byte> bytes, long length, int body, out RespToken token)
    {
        token = default;
        if (length < 0)
        {
            token = new RespToken { Kind = RespKind.Null };
            return body;
        }

        if (bytes.Length < body + length + 2)
        {
            return 0;
        }

        if (!bytes.Slice(body + (int)length, 2).SequenceEqual("\r\n"u8))
        {
            throw new InvalidDataException("A RESP bulk string does not end where its length says.");
        }

        token = new RespToken { Kind = RespKind.Bulk, Text = bytes.Slice(body, (int)length) };
        return body + (int)length + 2;
    }

    private static long Number(ReadOnlySpan<byte> text) =>
        Utf8Parser.TryParse(text, out long value, out int used) && used == text.Length ? value : throw new InvalidDataException("A RESP number is none.");
}
