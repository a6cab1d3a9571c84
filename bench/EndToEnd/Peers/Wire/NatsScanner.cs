using System.Buffers.Text;

namespace Danube.Fast.Bench.Peers.Wire;

/// <summary>What a NATS server sends.</summary>
internal enum NatsKind
{
    /// <summary>INFO, +OK, PONG: nothing to do.</summary>
    Other,
    Ping,
    Pong,

    /// <summary>-ERR; the payload is its text.</summary>
    Error,

    /// <summary>MSG or HMSG.</summary>
    Message,
}

/// <summary>One operation of the NATS text protocol: a view into the receive buffer.</summary>
internal readonly ref struct NatsOperation
{
    public NatsKind Kind { get; init; }
    public ReadOnlySpan<byte> Subject { get; init; }

    /// <summary>Empty when there is none.</summary>
    public ReadOnlySpan<byte> Reply { get; init; }

    /// <summary>Status line and headers of HMSG, else empty.</summary>
    public ReadOnlySpan<byte> Headers { get; init; }
    public ReadOnlySpan<byte> Payload { get; init; }
}

/// <summary>Splits the stream of bytes of a NATS server into operations.</summary>
internal static class NatsScanner
{
    /// <summary>Length of the operation at the start of <paramref name="bytes"/>; 0 = more bytes are needed.</summary>
    /// <exception cref="InvalidDataException">This is not the protocol.</exception>
    public static int Scan(ReadOnlySpan<byte> bytes, out NatsOperation operation)
    {
        operation = default;
        int end = bytes.IndexOf("\r\n"u8);
        if (end < 0)
        {
            return 0;
        }

        ReadOnlySpan<byte> line = bytes[..end];
        if (line.StartsWith("MSG "u8))
        {
            return ScanMessage(bytes, line[4..], end + 2, false, out operation);
        }

        if (line.StartsWith("HMSG "u8))
        {
            return ScanMessage(bytes, line[5..], end + 2, true, out operation);
        }

        NatsKind kind = line.SequenceEqual("PING"u8) ? NatsKind.Ping : line.SequenceEqual("PONG"u8) ? NatsKind.Pong : line.StartsWith("-ERR"u8) ? NatsKind.Error : NatsKind.Other;
        operation = new NatsOperation { Kind = kind, Payload = line };
        return end + 2;
    }

    // subject sid [reply] [header length] total length
    private static int ScanMessage(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> line, int body, bool hasHeaders, out NatsOperation operation)
    {
        operation = default;
        ReadOnlySpan<byte> subject = Word(ref line);
        _ = Word(ref line);
        int numbers = hasHeaders ? 2 : 1;
        ReadOnlySpan<byte> reply = Words(line) > numbers ? Word(ref line) : default;
        int headers = hasHeaders ? Number(Word(ref line)) : 0;
        int total = Number(Word(ref line));
        if (headers > total)
        {
            throw new InvalidDataException("A NATS message whose headers are longer than the message.");
        }

        if (bytes.Length < body + total + 2)
        {
            return 0;
        }

        if (!bytes.Slice(body + total, 2).SequenceEqual("\r\n"u8))
        {
            throw new InvalidDataException("A NATS message does not end where its length says.");
        }

        operation = new NatsOperation
        {
            Kind = NatsKind.Message,
            Subject = subject,
            Reply = reply,
            Headers = bytes.Slice(body, headers),
            Payload = bytes.Slice(body + headers, total - headers),
        };
        return body + total + 2;
    }

    private static int Words(ReadOnlySpan<byte> line) => line.Count((byte)' ') + 1;

    private static ReadOnlySpan<byte> Word(scoped ref ReadOnlySpan<byte> line)
    {
        int space = line.IndexOf((byte)' ');
        ReadOnlySpan<byte> word = space < 0 ? line : line[..space];
        line = space < 0 ? default : line[(space + 1)..];
        return word;
    }

    private static int Number(ReadOnlySpan<byte> word) =>
        Utf8Parser.TryParse(word, out int value, out int used) && used == word.Length && value >= 0 ? value : throw new InvalidDataException("A NATS message without a length.");
}
