using System.Text.Json;
using System.Text.Json.Serialization;

namespace Danube.Fast.Tests;

/// <summary>A frame that must be served: [<paramref name="Offset"/>, <paramref name="End"/>) and the CRC32C of its stored bytes, eight hexadecimal digits.</summary>
internal sealed record GoldenFrame(long Offset, long End, string Crc);

/// <summary>Offsets that are damaged: [<paramref name="From"/>, <paramref name="To"/>).</summary>
internal sealed record GoldenDamage(long From, long To);

/// <summary>What must be found of one topic.</summary>
internal sealed record GoldenTopic
{
    public required ulong Id { get; init; }

    public required long Start { get; init; }

    public required long End { get; init; }

    /// <summary>Last sequence by producer id.</summary>
    public required SortedDictionary<ulong, ulong> Producers { get; init; }

    /// <summary>Saved state by subscription, hexadecimal digits.</summary>
    public required SortedDictionary<string, string> Cursors { get; init; }

    public required List<GoldenDamage> Damages { get; init; }

    public required List<GoldenFrame> Frames { get; init; }
}

/// <summary>The file expected.json beside a golden directory's files.</summary>
internal sealed record GoldenContent
{
    private static readonly JsonSerializerOptions Format = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>How the directory came to be.</summary>
    public required string Story { get; init; }

    /// <summary>Closed in order.</summary>
    public required bool Clean { get; init; }

    /// <summary>Full length by file: the stored files lack the zeros at their ends.</summary>
    public required SortedDictionary<string, long> Lengths { get; init; }

    /// <summary>Folders without files, which a source tree cannot hold; null: none.</summary>
    public List<string>? Folders { get; init; }

    /// <summary>Kinds of events that opening all logs must report, each at least once.</summary>
    public required List<string> Events { get; init; }

    /// <summary>Sentences that <c>log verify</c> prints.</summary>
    public required List<string> Faults { get; init; }

    public required List<GoldenTopic> Topics { get; init; }

    public static GoldenContent Read(string directory) =>
        JsonSerializer.Deserialize<GoldenContent>(File.ReadAllText(Path.Combine(directory, GoldenFolder.ContentName)), Format)!;

    public void Write(string directory) => File.WriteAllText(Path.Combine(directory, GoldenFolder.ContentName), JsonSerializer.Serialize(this, Format) + "\n");
}
