using System.Text.Json;
using System.Text.Json.Serialization;

namespace Danube.Fast.AdminCli;

/// <summary>JSON for files that people read.</summary>
[JsonSourceGenerationOptions(WriteIndented = true)]
[JsonSerializable(typeof(JsonElement))]
[JsonSerializable(typeof(Dictionary<string, JsonElement>))]
internal sealed partial class Indented : JsonSerializerContext;
