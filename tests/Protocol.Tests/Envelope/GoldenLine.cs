using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Danube.Fast.Protocol.Tests.Envelopes;

/// <summary>One line of the golden file, with generated payloads built and their digests checked.</summary>
public sealed class GoldenLine
{
    private const string Id = "id", Source = "source", Target = "target", CorrelationId = "correlation_id";

    private readonly JsonElement _json;

    private GoldenLine(JsonElement json)
    {
        _json = json;
        Frame = BuildFrame();
        Input = json.TryGetProperty("in", out JsonElement input) ? Message(input, cut: false) : null;
        CutInput = Input is null ? null : Message(input, cut: true);
        Decoded = json.TryGetProperty("decoded", out JsonElement decoded) ? Message(decoded, cut: false) : null;
    }

    public static IReadOnlyList<GoldenLine> All { get; } =
        [.. File.ReadLines(Path.Combine(AppContext.BaseDirectory, "golden", "v2e-v1-frames.jsonl")).Select(line => new GoldenLine(JsonDocument.Parse(line).RootElement))];

    public int Number => _json.GetProperty("n").GetInt32();
    public string Case => _json.GetProperty("case").GetString()!;
    public string Kind => _json.GetProperty("kind").GetString()!;
    public string Operation => _json.GetProperty("op").GetString()!;
    public int Encoding => _json.GetProperty("encoding").GetInt32();
    public string TypeName => _json.GetProperty("in").GetProperty("type").GetString()!;
    public string? ErrorClass => _json.TryGetProperty("error_class", out JsonElement name) ? name.GetString() : null;
    public JsonElement Header => _json.GetProperty("header");
    public byte[] Frame { get; }
    public Envelope? Input { get; }

    /// <summary>The input with ids cut to the size of their fields, as the reference cuts them.</summary>
    public Envelope? CutInput { get; }
    public Envelope? Decoded { get; }

    public bool InputIsTooLong
    {
        get
        {
            JsonElement input = _json.GetProperty("in");
            return Bytes(input, Id).Length > 32 || Bytes(input, Source).Length > 32 || Bytes(input, Target).Length > 32 || Bytes(input, CorrelationId).Length > 20;
        }
    }

    private static Envelope Message(JsonElement json, bool cut)
    {
        string type = json.GetProperty("type").GetString()!;
        JsonElement payload = json.GetProperty("payload");
        string error = System.Text.Encoding.UTF8.GetString(Bytes(json, "error"));
        return new Envelope
        {
            Type = type switch { "response" => FrameType.Response, "event" => FrameType.Event, "error" => FrameType.Error, _ => FrameType.Request },
            Id = Text(json, Id, cut ? 32 : int.MaxValue),
            Source = Text(json, Source, cut ? 32 : int.MaxValue),
            Target = Text(json, Target, cut ? 32 : int.MaxValue),
            CorrelationId = Text(json, CorrelationId, cut ? 20 : int.MaxValue),
            Error = error.Length == 0 ? null : error,
            Payload = payload.GetProperty("nil").GetBoolean() ? default(ReadOnlyMemory<byte>?) : Payload(payload),
        };
    }

    /// <summary>UTF-8 where valid; any other byte as U+DC00 + byte, by a decoder of the test's own.</summary>
    private static string Text(JsonElement json, string name, int limit)
    {
        byte[] bytes = Bytes(json, name);
        ReadOnlySpan<byte> rest = bytes.AsSpan(0, Math.Min(limit, bytes.Length));
        var text = new StringBuilder();
        while (!rest.IsEmpty)
        {
            int length = rest[0] < 0x80 ? 1 : rest[0] < 0xE0 ? 2 : rest[0] < 0xF0 ? 3 : 4;
            try
            {
                text.Append(new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(rest[..length]));
                rest = rest[length..];
            }
            catch (Exception e) when (e is ArgumentException)
            {
                text.Append((char)(0xDC00 + rest[0]));
                rest = rest[1..];
            }
        }

        return text.ToString();
    }

    private static byte[] Bytes(JsonElement json, string name) => Convert.FromHexString(json.GetProperty(name).GetProperty("hex").GetString()!);

    private static byte[] Payload(JsonElement payload)
    {
        if (payload.TryGetProperty("hex", out JsonElement hex))
        {
            return Convert.FromHexString(hex.GetString()!);
        }

        byte[] bytes = Sequence(payload.GetProperty("len").GetInt32());
        if (payload.TryGetProperty("sha256", out JsonElement digest))
        {
            Assert.Equal(digest.GetString(), Convert.ToHexStringLower(SHA256.HashData(bytes)));
        }

        return bytes;
    }

    private static byte[] Sequence(int length)
    {
        var bytes = new byte[length];
        for (int i = 0; i < length; i++)
        {
            bytes[i] = (byte)i;
        }

        return bytes;
    }

    private byte[] BuildFrame()
    {
        if (_json.TryGetProperty("hex", out JsonElement hex))
        {
            return Convert.FromHexString(hex.GetString()!);
        }

        if (!_json.TryGetProperty("header_hex", out JsonElement headerHex))
        {
            return [];
        }

        byte[] frame = new byte[_json.GetProperty("frame_len").GetInt32()];
        Convert.FromHexString(headerHex.GetString()!).CopyTo(frame, 0);
        Span<byte> body = frame.AsSpan(128);
        if (_json.GetProperty("payload_gen").GetString()!.StartsWith("space", StringComparison.Ordinal))
        {
            body.Fill((byte)' ');
        }
        else
        {
            int length = _json.GetProperty("in").GetProperty("payload").GetProperty("len").GetInt32();
            Sequence(length).CopyTo(body[^length..]);
            GobPrefix(length, body[..^length]);
        }

        Assert.Equal(_json.GetProperty("frame_sha256").GetString(), Convert.ToHexStringLower(SHA256.HashData(frame)));
        return frame;
    }

    /// <summary>Built from the description, not with our encoder; the digest proves it.</summary>
    private static void GobPrefix(int length, Span<byte> prefix)
    {
        if (prefix.IsEmpty)
        {
            return;
        }

        byte[] inner = [0x0A, 0x00, .. UInt(length)];
        byte[] whole = [.. UInt(inner.Length + length), .. inner];
        whole.CopyTo(prefix);
    }

    private static byte[] UInt(int value)
    {
        byte[] bytes = [(byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value];
        byte[] shortest = [.. bytes.SkipWhile(b => b == 0)];
        return value < 128 ? [(byte)value] : [(byte)(256 - shortest.Length), .. shortest];
    }
}
