using System.Text;
using Danube.Fast.Cli.Consume;
using Danube.Fast.Cli.Produce;

namespace Danube.Fast.Cli.Tests;

public sealed class LineFormatTests
{
    [Theory]
    [InlineData("split:,", "k,v,w", "k", "v,w")]
    [InlineData("split:,", "no separator", null, "no separator")]
    [InlineData("split:,", ",v", "", "v")]
    [InlineData("split:\\t", "k\tv", "k", "v")]
    [InlineData("split::", "k:v", "k", "v")]
    [InlineData("json:id", "{\"a\":{\"id\":1},\"id\":\"x\\u0041\\n\"}", "xA\n", null)]
    [InlineData("json:id", "{\"id\": 12.50 ,\"b\":1}", "12.50", null)]
    [InlineData("json:id", "{\"id\":{\"x\":[1, 2]}}", "{\"x\":[1, 2]}", null)]
    [InlineData("json:id", "{\"a\":[{\"id\":3}]}", null, null)]
    [InlineData("json:id", "{\"id\":\"\"}", "", null)]
    [InlineData("json:id", "[1]", null, null)]
    [InlineData("json:id", "{\"a\":1, broken", null, null)]
    [InlineData("json:id", "", null, null)]
    public void Keys_are_taken_from_lines(string rule, string line, string? key, string? payload)
    {
        Assert.True(KeySelector.TryParse(rule, out KeySelector? selector, out _));
        bool hasKey = selector!.Select(Encoding.UTF8.GetBytes(line), out ReadOnlyMemory<byte> gotKey, out ReadOnlyMemory<byte> gotPayload);
        Assert.Equal(key, hasKey ? Encoding.UTF8.GetString(gotKey.Span) : null);
        Assert.Equal(payload ?? line, Encoding.UTF8.GetString(gotPayload.Span));
    }

    [Theory]
    [InlineData("split:")]
    [InlineData("split:ab")]
    [InlineData("split:ä")]
    [InlineData("split:\\n")]
    [InlineData("json:")]
    [InlineData("first")]
    [InlineData("")]
    public void Other_key_rules_are_refused(string rule)
    {
        Assert.False(KeySelector.TryParse(rule, out _, out string error));
        Assert.Contains("--key-from", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(LineEncoding.Text, "ab", "6162")]
    [InlineData(LineEncoding.Base64, "AP8K", "00ff0a")]
    [InlineData(LineEncoding.Base64, "", "")]
    [InlineData(LineEncoding.Hex, "00ff0a", "00ff0a")]
    [InlineData(LineEncoding.Hex, "", "")]
    public void Payloads_are_decoded_and_encoded_back(LineEncoding encoding, string line, string payloadInHex)
    {
        var codec = new PayloadCodec(encoding);
        Assert.True(codec.TryDecode(Encoding.ASCII.GetBytes(line), out ReadOnlyMemory<byte> payload));
        Assert.Equal(payloadInHex, Convert.ToHexStringLower(payload.Span));
        Assert.Equal(line, Encoding.ASCII.GetString(codec.Encode(payload.ToArray())));
    }

    [Theory]
    [InlineData(LineEncoding.Base64, "AP8")]
    [InlineData(LineEncoding.Base64, "!!!!")]
    [InlineData(LineEncoding.Hex, "0")]
    [InlineData(LineEncoding.Hex, "0g")]
    public void Lines_in_another_encoding_are_noticed(LineEncoding encoding, string line) =>
        Assert.False(new PayloadCodec(encoding).TryDecode(Encoding.ASCII.GetBytes(line), out _));

    [Fact]
    public void Large_payloads_are_encoded_too()
    {
        var bytes = new byte[1_000_000];
        new Random(1).NextBytes(bytes);
        foreach (LineEncoding encoding in Enum.GetValues<LineEncoding>())
        {
            byte[] text = new PayloadCodec(encoding).Encode(bytes).ToArray();
            Assert.True(new PayloadCodec(encoding).TryDecode(text, out ReadOnlyMemory<byte> back));
            Assert.True(back.Span.SequenceEqual(bytes));
        }
    }

    [Theory]
    [InlineData("a\\nb\\t\\r\\0\\\\\\x\\", "a\nb\t\r\0\\\\x\\")]
    [InlineData("", "")]
    public void Escapes_stand_for_characters(string text, string expected) => Assert.Equal(expected, Escapes.Resolve(text));

    [Theory]
    [InlineData("{payload}\\n", true)]
    [InlineData("{offset} {key} {payload}", false)]
    [InlineData("{{literal}}\n", true)]
    [InlineData("", false)]
    public void Formats_are_compiled(string format, bool endsWithNewLine)
    {
        Assert.True(MessageTemplate.TryParse(format, out MessageTemplate template, out _));
        Assert.Equal(endsWithNewLine, template.EndsWithNewLine);
    }

    [Theory]
    [InlineData("{nope}", "{nope}")]
    [InlineData("{payload", "{payload")]
    [InlineData("{}", "{}")]
    public void Unknown_fields_are_refused(string format, string named)
    {
        Assert.False(MessageTemplate.TryParse(format, out _, out string error));
        Assert.Contains(named, error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("65536", 65536)]
    [InlineData("64K", 65536)]
    [InlineData("2m", 2097152)]
    [InlineData("0", -1)]
    [InlineData("", -1)]
    [InlineData("K", -1)]
    [InlineData("-1", -1)]
    [InlineData("4096M", -1)]
    public void Sizes_are_parsed(string text, int expected)
    {
        Assert.Equal(expected > 0, ByteSize.TryParse(text, out int bytes));
        Assert.Equal(Math.Max(0, expected), bytes);
    }

    [Theory]
    [InlineData("earliest", "earliest")]
    [InlineData("latest", "latest")]
    [InlineData("offset:12", "offset:12")]
    [InlineData("time:1700000000000000", "time:1700000000000000")]
    [InlineData("time:2023-11-14T22:13:20Z", "time:1700000000000000")]
    [InlineData("time:2023-11-14T22:13:20.000001", "time:1700000000000001")]
    [InlineData("time:2023-11-14T23:13:20+01:00", "time:1700000000000000")]
    [InlineData("offset:-1", null)]
    [InlineData("time:soon", null)]
    [InlineData("first", null)]
    public void Start_positions_are_checked(string text, string? expected)
    {
        Assert.Equal(expected is not null, ConsumeCommand.TryParseStart(text, out string start));
        if (expected is not null)
        {
            Assert.Equal(expected, start);
        }
    }
}
