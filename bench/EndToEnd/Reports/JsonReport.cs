using System.Text.Json;
using System.Text.Json.Nodes;

namespace Danube.Fast.Bench.Reports;

/// <summary>Figures in JSON beside the printed table.</summary>
public sealed class JsonReport(string command)
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private readonly JsonArray _rows = [];

    public void Add(JsonObject row) => _rows.Add((JsonNode)row);

    public void Write(FileInfo? file)
    {
        if (file is null)
        {
            return;
        }

        var root = new JsonObject { ["command"] = command, ["machine"] = MachineInfo.Describe(), ["rows"] = _rows };
        File.WriteAllText(file.FullName, root.ToJsonString(Indented));
    }
}
