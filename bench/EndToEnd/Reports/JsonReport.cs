using System.Text.Json;
using System.Text.Json.Nodes;

namespace Danube.Fast.Bench.Reports;

/// <summary>Figures in JSON beside the printed table, and what of them has a target.</summary>
public sealed class JsonReport(string command)
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private readonly JsonArray _rows = [];
    private readonly List<Judgement> _judgements = [];

    /// <summary>Settings of the run, when it has any beside those of its rows.</summary>
    public JsonObject? Settings { get; set; }

    /// <summary>Folder whose file system is named; null = the system's temporary folder.</summary>
    public string? Folder { get; set; }

    /// <summary>The rows of the P table that this run gives.</summary>
    public IReadOnlyList<Judgement> Judgements => _judgements;

    public void Add(JsonObject row) => _rows.Add((JsonNode)row);

    public void Judge(Judgement judgement) => _judgements.Add(judgement);

    public void Write(FileInfo? file)
    {
        if (file is not null)
        {
            File.WriteAllText(file.FullName, ToJson().ToJsonString(Indented));
        }
    }

    /// <summary>The whole report.</summary>
    public JsonObject ToJson()
    {
        var root = new JsonObject { ["command"] = command, ["machine"] = MachineInfo.Describe(Folder), ["environment"] = MachineInfo.ToJson(Folder) };
        if (Settings is not null)
        {
            root["settings"] = Settings.DeepClone();
        }

        root["rows"] = _rows.DeepClone();
        if (_judgements.Count > 0)
        {
            root["targets"] = new JsonArray([.. _judgements.Select(j => (JsonNode)j.ToJson())]);
        }

        return root;
    }
}
