using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Danube.Fast.Protocol.Tests.Docs;

/// <summary>
/// docs/protocol.md against the code: every dump, every JSON example, the table of errors and all test vectors. When dumps differ, the corrected page lies beside the test
/// assembly as docs/protocol.expected.md.
/// </summary>
public sealed partial class ProtocolPageTests
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "docs");
    private static readonly string Page = File.ReadAllText(Path.Combine(Folder, "protocol.md")).ReplaceLineEndings("\n");

    [Fact]
    public void Every_frame_type_has_its_dump()
    {
        string[] shown = [.. DumpBlocks().Matches(Page).Select(match => match.Groups["name"].Value)];
        Assert.Equal(SampleFrames.All.Keys.Where(name => name != "gob").Order(StringComparer.Ordinal), shown.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_dumps_are_what_the_code_writes()
    {
        string corrected = DumpBlocks().Replace(Page, match =>
            $"{match.Groups["open"].Value}{FrameDump.Render(SampleFrames.All[match.Groups["name"].Value])}```");
        if (corrected != Page)
        {
            File.WriteAllText(Path.Combine(Folder, "protocol.expected.md"), corrected);
        }

        foreach (Match match in DumpBlocks().Matches(Page))
        {
            byte[] frame = SampleFrames.All[match.Groups["name"].Value];
            Assert.Equal(Convert.ToHexString(frame), Convert.ToHexString(FrameDump.Parse(match.Groups["dump"].Value)));
        }

        Assert.Equal(corrected, Page);
    }

    /// <summary>The dumps parsed from the page are legal frames.</summary>
    [Fact]
    public void The_dumps_are_accepted()
    {
        foreach (Match match in DumpBlocks().Matches(Page))
        {
            byte[] frame = FrameDump.Parse(match.Groups["dump"].Value);
            Assert.Equal(ScanStatus.Done, FrameScanner.Scan(frame, ProtocolLimits.MaxFrameBeforeHello, allowStream: true, out ScannedFrame scanned));
            Assert.Equal(ErrorCode.None, Sequences.Validate(frame, scanned));
        }
    }

    /// <summary>Examples are fenced as <c>```json TypeName</c>: they parse as that payload, and no member of it is left out.</summary>
    [Fact]
    public void The_json_examples_are_complete_payloads()
    {
        var shown = new HashSet<string>();
        foreach (Match match in JsonBlocks().Matches(Page))
        {
            string name = match.Groups["type"].Value;
            shown.Add(name);
            Type type = typeof(Commands).Assembly.GetType("Danube.Fast.Protocol." + name, throwOnError: true)!;
            object? payload = JsonSerializer.Deserialize(match.Groups["json"].Value, type, ControlJson.Default);
            JsonElement written = JsonSerializer.SerializeToElement(payload, type, ControlJson.Default), read = JsonDocument.Parse(match.Groups["json"].Value).RootElement;
            Assert.True(JsonElement.DeepEquals(written, read), $"{name}: {written} instead of {read}");
            Assert.Equal(type.GetProperties().Select(p => JsonNamingPolicy.SnakeCaseLower.ConvertName(p.Name)).Order(StringComparer.Ordinal), read.EnumerateObject().Select(m => m.Name).Order(StringComparer.Ordinal));
        }

        string[] payloads =
        [
            .. typeof(Commands).Assembly.GetTypes()
                .Where(type => type.IsPublic && type.GetMethod("<Clone>$") is not null && typeof(ControlJson).GetProperty(type.Name) is not null)
                .Select(type => type.Name).Where(name => name is not ("SubscriptionInfo" or "OffsetRange" or "MessageStats")),
        ];
        Assert.Equal(payloads.Order(StringComparer.Ordinal), shown.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_command_is_described()
    {
        foreach (System.Reflection.FieldInfo field in typeof(Commands).GetFields())
        {
            Assert.Contains($"`{field.GetRawConstantValue()}`", Page, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_table_of_errors_is_the_codes()
    {
        var rows = ErrorRows().Matches(Page).ToDictionary(match => match.Groups["name"].Value, match => (match.Groups["number"].Value, match.Groups["retry"].Value));
        foreach (ErrorCode code in Enum.GetValues<ErrorCode>().Where(code => code != ErrorCode.None))
        {
            Assert.True(rows.Remove(ErrorCodes.Name(code), out (string Number, string Retry) row), ErrorCodes.Name(code));
            Assert.Equal(((uint)code).ToString(CultureInfo.InvariantCulture), row.Number);
            Assert.Equal(ErrorCodes.IsRetryable(code) ? "yes" : "no", row.Retry);
        }

        Assert.Empty(rows);
    }

    [Fact]
    public void Test_vectors_hold()
    {
        MatchCollection keys = KeyRows().Matches(Page);
        Assert.True(keys.Count >= 4);
        foreach (Match match in keys)
        {
            ulong hash = KeyHash.Compute(Encoding.UTF8.GetBytes(match.Groups["key"].Value));
            Assert.Equal(match.Groups["hash"].Value, hash.ToString("x16", CultureInfo.InvariantCulture));
            Assert.Equal(match.Groups["of3"].Value, KeyHash.Partition(hash, 3).ToString(CultureInfo.InvariantCulture));
            Assert.Equal(match.Groups["of16"].Value, KeyHash.Partition(hash, 16).ToString(CultureInfo.InvariantCulture));
            Assert.Equal(match.Groups["of1000"].Value, KeyHash.Partition(hash, 1000).ToString(CultureInfo.InvariantCulture));
        }

        MatchCollection producers = ProducerRows().Matches(Page);
        Assert.True(producers.Count >= 3);
        foreach (Match match in producers)
        {
            Assert.Equal(match.Groups["id"].Value, KeyHash.ProducerId(match.Groups["name"].Value).ToString("x16", CultureInfo.InvariantCulture));
        }

        MatchCollection sums = CrcRows().Matches(Page);
        Assert.True(sums.Count >= 4);
        foreach (Match match in sums)
        {
            byte[] bytes = match.Groups["text"].Success ? Encoding.UTF8.GetBytes(match.Groups["text"].Value) : Convert.FromHexString(match.Groups["hex"].Value.Replace(" ", "", StringComparison.Ordinal));
            Assert.Equal(match.Groups["crc"].Value, Crc32C.Compute(bytes).ToString("x8", CultureInfo.InvariantCulture));
        }
    }

    /// <summary>Rows <c>| codec | bytes |</c>: each unpacks to 20 records "abc".</summary>
    [Fact]
    public void Compressed_vectors_unpack()
    {
        MatchCollection rows = PackedRows().Matches(Page);
        Assert.Equal(2, rows.Count);
        foreach (Match match in rows)
        {
            Assert.True(Compression.TryParse(match.Groups["codec"].Value, out Codec codec));
            byte[] records = [.. Enumerable.Repeat(new byte[] { 0, 0, 0, 4, 0, (byte)'a', (byte)'b', (byte)'c' }, 20).SelectMany(record => record)];
            byte[] target = new byte[records.Length];
            Assert.True(Compression.TryDecompress(codec, Convert.FromHexString(match.Groups["packed"].Value.Replace(" ", "", StringComparison.Ordinal)), target));
            Assert.Equal(records, target);
        }
    }

    [GeneratedRegex("(?<open>```dump (?<name>[a-z-]+)\n)(?<dump>[^`]*)```")]
    private static partial Regex DumpBlocks();

    [GeneratedRegex("```json (?<type>[A-Za-z]+)\n(?<json>[^`]*)```")]
    private static partial Regex JsonBlocks();

    [GeneratedRegex(@"^\| (?<number>\d+) \| `(?<name>[a-z_]+)` \| (?<retry>yes|no) \|", RegexOptions.Multiline)]
    private static partial Regex ErrorRows();

    [GeneratedRegex(@"^\| `(?<key>[^`|]*)` \| `(?<hash>[0-9a-f]{16})` \| (?<of3>\d+) \| (?<of16>\d+) \| (?<of1000>\d+) \|", RegexOptions.Multiline)]
    private static partial Regex KeyRows();

    [GeneratedRegex(@"^\| `(?<name>[^`|]*)` \| `(?<id>[0-9a-f]{16})` \|$", RegexOptions.Multiline)]
    private static partial Regex ProducerRows();

    [GeneratedRegex(@"^\| (text `(?<text>[^`]*)`|bytes `(?<hex>[0-9a-f ]*)`) \| `(?<crc>[0-9a-f]{8})` \|$", RegexOptions.Multiline)]
    private static partial Regex CrcRows();

    [GeneratedRegex(@"^\| `(?<codec>deflate|brotli)` \| `(?<packed>[0-9a-f ]+)` \|$", RegexOptions.Multiline)]
    private static partial Regex PackedRows();
}
