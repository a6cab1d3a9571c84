using System.Text.Json;
using System.Text.Json.Serialization;

namespace Danube.Fast.Cli.Demo;

/// <summary>What the consuming process of the demo tells the other one at its end.</summary>
internal sealed record DemoReport
{
    public long Messages { get; init; }

    /// <summary>Null when offsets went 0, 1, 2, ... in the order of delivery; otherwise where they did not.</summary>
    public string? OffsetError { get; init; }
    public long EndToEndP50Micros { get; init; }
    public long EndToEndP99Micros { get; init; }

    /// <summary>Lines of the consuming process: <c>S</c> subscribed, <c>P n</c> received so far, <c>R json</c> this report.</summary>
    public const string Subscribed = "S", Progress = "P ", Result = "R ";

    public string ToLine() => Result + JsonSerializer.Serialize(this, DemoJson.Default.DemoReport);

    public static DemoReport Parse(string line) => JsonSerializer.Deserialize(line.AsSpan(Result.Length), DemoJson.Default.DemoReport)!;
}

[JsonSerializable(typeof(DemoReport))]
internal sealed partial class DemoJson : JsonSerializerContext;
