using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Danube.Fast.Protocol.Tests.Docs;

/// <summary>
/// Annotated dumps of frames: one line per field with its offset, its bytes and what they say. <c>00 x N</c> stands for N zero bytes.
/// The layout is written down here a second time, so that the page and the code check each other.
/// </summary>
internal static class FrameDump
{
    private enum Kind
    {
        Number,
        Hex,
        Text,
        Zero,
    }

    private readonly record struct Field(int Length, Kind Kind, string Note);

    public static string Render(byte[] frame)
    {
        var text = new StringBuilder();
        int at = 0;
        foreach (Field field in frame[2] == 1 ? Envelope(frame) : Stream(frame, 0, padded: true))
        {
            Write(text, frame, at, field);
            at += field.Length;
        }

        Assert.Equal(frame.Length, at);
        return text.ToString();
    }

    /// <summary>The bytes of a rendered dump.</summary>
    public static byte[] Parse(string dump)
    {
        var bytes = new List<byte>();
        foreach (string line in dump.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            Assert.Equal(bytes.Count, int.Parse(line.AsSpan(0, 4), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
            string hex = line[6..Math.Min(line.Length, 6 + 48)].Trim();
            if (hex.StartsWith("00 x ", StringComparison.Ordinal))
            {
                bytes.AddRange(new byte[int.Parse(hex.AsSpan(5), CultureInfo.InvariantCulture)]);
            }
            else
            {
                bytes.AddRange(hex.Split(' ').Select(b => byte.Parse(b, NumberStyles.HexNumber, CultureInfo.InvariantCulture)));
            }
        }

        return [.. bytes];
    }

    private static void Write(StringBuilder text, byte[] frame, int at, Field field)
    {
        ReadOnlySpan<byte> bytes = frame.AsSpan(at, field.Length);
        string note = field.Note + field.Kind switch
        {
            Kind.Number => " " + Number(bytes).ToString(CultureInfo.InvariantCulture),
            Kind.Text => $" \"{Encoding.UTF8.GetString(bytes).TrimEnd('\0')}\"",
            _ => "",
        };
        if (field.Length > 4 && !bytes.ContainsAnyExcept((byte)0))
        {
            Line(text, at, $"00 x {field.Length}", field.Kind == Kind.Text ? field.Note + " \"\"" : note);
            return;
        }

        for (int i = 0; i < bytes.Length; i += 16)
        {
            string hex = string.Join(' ', bytes[i..Math.Min(i + 16, bytes.Length)].ToArray().Select(b => b.ToString("x2", CultureInfo.InvariantCulture)));
            Line(text, at + i, hex, i == 0 ? note : "");
        }
    }

    private static void Line(StringBuilder text, int at, string hex, string note) =>
        text.Append($"{at:x4}  {hex,-48}  {note}".TrimEnd()).Append('\n');

    private static ulong Number(ReadOnlySpan<byte> bytes)
    {
        ulong value = 0;
        foreach (byte b in bytes)
        {
            value = (value << 8) | b;
        }

        return value;
    }

    private static IEnumerable<Field> Envelope(byte[] frame)
    {
        yield return new(2, Kind.Hex, "magic \"V2\"");
        yield return new(1, Kind.Number, "version");
        yield return new(1, Kind.Hex, "encoding: " + new[] { "JSON", "GOB", "PLAIN" }[frame[3]]);
        yield return new(1, Kind.Hex, "type: " + new[] { "request", "response", "event", "error" }[frame[4]]);
        yield return new(3, Kind.Zero, "reserved");
        yield return new(4, Kind.Number, "payload length");
        yield return new(32, Kind.Text, "message id");
        yield return new(32, Kind.Text, "source id");
        yield return new(32, Kind.Text, "target id");
        yield return new(20, Kind.Text, "correlation id");
        int length = (int)new EnvelopeHeader(frame).PayloadLength;
        if (frame[3] == 1)
        {
            yield return new(3, Kind.Hex, "gob: length of what follows, 2 bytes: 305");
            yield return new(2, Kind.Hex, "gob: byte slice, 0");
            yield return new(3, Kind.Hex, "gob: length of the slice, 2 bytes: 300");
            length -= 8;
        }

        yield return new(length, frame[3] == 0 ? Kind.Text : Kind.Hex, "payload");
    }

    private static IEnumerable<Field> Stream(byte[] frame, int start, bool padded)
    {
        byte type = frame[start + 4];
        int payload = (int)BinaryPrimitives.ReadUInt32BigEndian(frame.AsSpan(start + 8));
        ushort attributes = BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan(start + 6));
        yield return new(2, Kind.Hex, "magic \"V2\"");
        yield return new(1, Kind.Number, "version");
        yield return new(1, Kind.Hex, "encoding: PLAIN");
        yield return new(1, Kind.Hex, "type: " + TypeName(type));
        yield return new(1, Kind.Hex, "flags" + ((frame[start + 5] & 0x20) != 0 ? ": bare" : ""));
        yield return new(2, Kind.Number, type == 0x12 ? "exclusions" : "attributes");
        yield return new(4, Kind.Number, "payload length");
        yield return new(4, Kind.Number, "channel");
        foreach (Field field in Fields(type))
        {
            yield return field;
        }

        yield return new(4, Kind.Hex, type switch { 0x10 => "content CRC", 0x12 => "content CRC, of the exclusion list", _ => "content CRC: not used" });
        yield return new(4, Kind.Hex, "header CRC, of bytes 0 to 123");
        foreach (Field field in Payload(frame, start, type, attributes, payload))
        {
            yield return field;
        }

        int padding = ProtocolLimits.Align(128 + payload) - 128 - payload;
        if (padded && padding > 0)
        {
            yield return new(padding, Kind.Hex, "padding");
        }
    }

    private static string TypeName(byte type) => type switch
    {
        0x10 => "publish",
        0x11 => "publish-ack",
        0x12 => "deliver",
        0x13 => "credit",
        0x14 => "ack",
        0x15 => "nack",
        0x16 => "ping",
        0x17 => "pong",
        _ => "close",
    };

    private static Field[] Fields(byte type) => type switch
    {
        0x10 =>
        [
            new(8, Kind.Number, "offset of the first record"), new(8, Kind.Number, "append time"), new(4, Kind.Number, "topic epoch"), new(4, Kind.Number, "generation"),
            new(4, Kind.Number, "durable lag"), new(4, Kind.Number, "record count"), new(8, Kind.Hex, "producer id"), new(8, Kind.Number, "sequence of the first record"),
            new(8, Kind.Number, "publish time"), new(8, Kind.Number, "key hash"), new(4, Kind.Number, "length before compression"), new(4, Kind.Number, "schema id"),
            new(4, Kind.Number, "delay"), new(4, Kind.Number, "time to live"), new(16, Kind.Hex, "trace id"), new(8, Kind.Hex, "span id"),
        ],
        0x11 =>
        [
            new(8, Kind.Number, "last durable sequence"), new(8, Kind.Zero, "not used"), new(4, Kind.Number, "entries"), new(4, Kind.Number, "topic epoch"),
            new(4, Kind.Number, "generation"), new(76, Kind.Zero, "not used"),
        ],
        0x12 =>
        [
            new(8, Kind.Number, "first offset of the run"), new(8, Kind.Number, "records selected so far on the channel"), new(4, Kind.Number, "records selected"),
            new(4, Kind.Number, "subscription epoch"), new(8, Kind.Number, "bytes so far on the channel"), new(8, Kind.Number, "durable end"), new(8, Kind.Number, "send time"),
            new(2, Kind.Number, "redelivery count"), new(54, Kind.Zero, "not used"),
        ],
        0x13 =>
        [
            new(8, Kind.Number, "records granted in all"), new(8, Kind.Number, "bytes granted in all"), new(4, Kind.Zero, "not used"), new(4, Kind.Number, "subscription epoch"),
            new(8, Kind.Number, "records taken in all"), new(72, Kind.Zero, "not used"),
        ],
        0x14 or 0x15 =>
        [
            new(8, Kind.Number, "acknowledged: all below"), new(8, Kind.Number, "nack: delay in ms"), new(4, Kind.Number, "ranges"), new(4, Kind.Number, "subscription epoch"),
            new(4, Kind.Number, "nack: reason"), new(76, Kind.Zero, "not used"),
        ],
        0x16 or 0x17 => [new(8, Kind.Hex, "token"), new(96, Kind.Zero, "not used")],
        _ => [new(16, Kind.Zero, "not used"), new(4, Kind.Number, "code"), new(84, Kind.Zero, "not used")],
    };

    private static IEnumerable<Field> Payload(byte[] frame, int start, byte type, ushort attributes, int payload)
    {
        switch (type)
        {
            case 0x10 when (frame[start + 5] & 0x20) != 0:
                return [new(payload, Kind.Text, "message")];
            case 0x10:
                return Records(frame, start + 128, payload);
            case 0x11:
                return Enumerable.Range(0, payload / 8).Select(i => new Field(8, Kind.Number, i % 2 == 0 ? "first sequence" : "first offset"));
            case 0x12:
                int run = start + 128 + (8 * attributes);
                return Enumerable.Range(0, 2 * attributes).Select(i => new Field(4, Kind.Number, i % 2 == 0 ? "exclusion: first, relative" : "exclusion: count"))
                    .Concat(Stream(frame, run, padded: true).Select(field => field with { Note = "| " + field.Note }));
            case 0x14 or 0x15:
                return Enumerable.Range(0, payload / 16)
                    .SelectMany(_ => new Field[] { new(8, Kind.Number, "range: first offset"), new(4, Kind.Number, "range: count"), new(4, Kind.Zero, "zero") });
            case 0x18:
                return [new(payload, Kind.Text, "reason")];
            default:
                return [];
        }
    }

    private static IEnumerable<Field> Records(byte[] frame, int at, int payload)
    {
        for (int end = at + payload; at < end;)
        {
            int rest = (int)BinaryPrimitives.ReadUInt32BigEndian(frame.AsSpan(at)) - 1;
            byte flags = frame[at + 4];
            int part = at + 5;
            yield return new(4, Kind.Number, "record: length of the rest");
            yield return new(1, Kind.Hex, "record flags" + ((flags & 1) != 0 ? " key" : "") + ((flags & 2) != 0 ? " attributes" : "") + ((flags & 4) != 0 ? " event-time" : ""));
            if ((flags & 1) != 0)
            {
                int key = BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan(part));
                yield return new(2, Kind.Number, "key length");
                yield return new(key, Kind.Text, "key");
                part += 2 + key;
            }

            if ((flags & 2) != 0)
            {
                int name = frame[part + 1], value = BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan(part + 2 + name));
                yield return new(1, Kind.Number, "attributes");
                yield return new(1, Kind.Number, "name length");
                yield return new(name, Kind.Text, "name");
                yield return new(2, Kind.Number, "value length");
                yield return new(value, Kind.Text, "value");
                part += 4 + name + value;
            }

            if ((flags & 4) != 0)
            {
                yield return new(8, Kind.Number, "event time");
                part += 8;
            }

            yield return new(at + 5 + rest - part, Kind.Text, "message");
            at += 5 + rest;
        }
    }
}
