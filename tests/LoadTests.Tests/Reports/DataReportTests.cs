using System.Text.Json;
using Danube.Fast.LoadTests.Reports;
using Danube.Fast.LoadTests.Runs;

namespace Danube.Fast.LoadTests.Tests;

public sealed class DataReportTests
{
    [Fact]
    public void Csv_quotes_what_needs_it()
    {
        Assert.Equal("a,b c,1.5,\n", Csv.Line("a", "b c", "1.5", ""));
        Assert.Equal("\"a,b\",\"say \"\"x\"\"\",\"two\nlines\",\"\r\"\n", Csv.Line("a,b", "say \"x\"", "two\nlines", "\r"));
    }

    [Fact(Timeout = 300_000)]
    public async Task The_csv_reads_back_cell_by_cell()
    {
        RunReport run = await SampleRun.CreateAsync();
        List<string[]> rows = Read(CsvReport.Steps(run));
        Assert.All(rows, r => Assert.Equal(rows[0].Length, r.Length));
        Assert.Equal(["iteration", "publish", "end-to-end <x>"], rows.Skip(1).Select(r => r[1]));
        string[] publish = rows[2];
        Assert.Equal(("180", "20"), (publish[Array.IndexOf(rows[0], "ok")], publish[Array.IndexOf(rows[0], "fail")]));
        Assert.Equal("20 x " + SampleRun.Awkward, publish[^1]);
        List<string[]> timeline = Read(CsvReport.Timeline(run));
        Assert.Equal(200, timeline.Skip(1).Where(r => r[0] == "end-to-end <x>").Sum(r => int.Parse(r[2])));
    }

    [Fact(Timeout = 300_000)]
    public async Task The_json_has_what_the_documentation_promises()
    {
        using var json = JsonDocument.Parse(JsonReport.Of(await SampleRun.CreateAsync(isBad: true)));
        JsonElement root = json.RootElement;
        AssertShape(root, new()
        {
            ["version"] = JsonValueKind.Number,
            ["scenario"] = JsonValueKind.String,
            ["verdict"] = JsonValueKind.String,
            ["interrupted"] = JsonValueKind.False,
            ["seconds"] = JsonValueKind.Number,
            ["environment"] = JsonValueKind.Object,
            ["settings"] = JsonValueKind.Object,
            ["steps"] = JsonValueKind.Array,
            ["figures"] = JsonValueKind.Array,
            ["thresholds"] = JsonValueKind.Array,
            ["audit"] = JsonValueKind.Array,
            ["findings"] = JsonValueKind.Array,
            ["notes"] = JsonValueKind.Array,
            ["broker"] = JsonValueKind.Array,
        });
        JsonElement publish = root.GetProperty("steps").EnumerateArray().Single(s => s.GetProperty("name").GetString() == "publish");
        AssertShape(publish, new()
        {
            ["name"] = JsonValueKind.String,
            ["ok"] = JsonValueKind.Object,
            ["fail"] = JsonValueKind.Object,
            ["errors"] = JsonValueKind.Object,
            ["timeline"] = JsonValueKind.Array,
            ["distribution"] = JsonValueKind.Array,
        });
        Assert.Equal(
            ["count", "percent", "rps", "bytes", "min_ms", "mean_ms", "p50_ms", "p75_ms", "p95_ms", "p99_ms", "p999_ms", "p9999_ms", "max_ms"],
            publish.GetProperty("ok").EnumerateObject().Select(p => p.Name));
        Assert.Equal(180, publish.GetProperty("ok").GetProperty("count").GetInt64());
        Assert.Equal(20, publish.GetProperty("errors").GetProperty(SampleRun.Awkward).GetInt64());
        Assert.Equal(["met", "broken", "not_judged"], root.GetProperty("thresholds").EnumerateArray().Select(t => t.GetProperty("verdict").GetString()));
        Assert.Equal(1, root.GetProperty("audit")[0].GetProperty("lost").GetInt64());
        Assert.Equal("FAILED", root.GetProperty("verdict").GetString());
        Assert.Equal(JsonValueKind.Null, root.GetProperty("broker")[1].GetProperty("allocated_bytes").ValueKind);
    }

    [Fact(Timeout = 300_000)]
    public async Task The_results_file_gets_one_header_and_a_row_per_run()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("danube-loadtests-");
        try
        {
            var file = new FileInfo(Path.Combine(folder.FullName, "deep", "results.csv"));
            ResultsFile.Append(file, await SampleRun.CreateAsync());
            ResultsFile.Append(file, await SampleRun.CreateAsync(isBad: true));
            List<string[]> rows = Read(await File.ReadAllTextAsync(file.FullName));
            Assert.Equal(3, rows.Count);
            Assert.All(rows, r => Assert.Equal(rows[0].Length, r.Length));
            string Cell(int row, string column) => rows[row][Array.IndexOf(rows[0], column)];
            Assert.Equal(("2026-11-21T12:00:00Z", "abc123-dirty", "host <1>", "sample", "PASSED"), (Cell(1, "date"), Cell(1, "commit"), Cell(1, "machine"), Cell(1, "scenario"), Cell(1, "verdict")));
            Assert.Equal(("FAILED", "1"), (Cell(2, "verdict"), Cell(2, "lost")));
            Assert.Contains("hopeless", Cell(2, "faults"), StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact(Timeout = 300_000)]
    public async Task Markdown_tables_have_as_many_cells_in_every_row()
    {
        RunReport run = await SampleRun.CreateAsync(isBad: true);
        foreach (string text in new[] { MarkdownReport.Of(run), MarkdownReport.Summary([run, run]) })
        {
            string[] lines = text.Split('\n');
            for (int i = 1; i < lines.Length; i++)
            {
                if (lines[i].StartsWith('|') && lines[i - 1].StartsWith('|'))
                {
                    Assert.Equal(Cells(lines[i - 1]), Cells(lines[i]));
                }
            }
        }

        Assert.Contains("## sample: FAILED", MarkdownReport.Of(run), StringComparison.Ordinal);
    }

    private static int Cells(string line) => line.Replace("\\|", "", StringComparison.Ordinal).Count(c => c == '|');

    private static void AssertShape(JsonElement element, Dictionary<string, JsonValueKind> members) =>
        Assert.Equal(members.OrderBy(m => m.Key), element.EnumerateObject().ToDictionary(p => p.Name, p => p.Value.ValueKind).OrderBy(m => m.Key));

    // A reader of RFC 4180, independent of the writer.
    private static List<string[]> Read(string csv)
    {
        var rows = new List<string[]>();
        var cells = new List<string>();
        var cell = new System.Text.StringBuilder();
        bool isQuoted = false;
        for (int i = 0; i < csv.Length; i++)
        {
            char c = csv[i];
            if (isQuoted && c == '"' && i + 1 < csv.Length && csv[i + 1] == '"')
            {
                cell.Append('"');
                i++;
            }
            else if (c == '"')
            {
                isQuoted = !isQuoted;
            }
            else if (!isQuoted && (c == ',' || c == '\n'))
            {
                cells.Add(cell.ToString());
                cell.Clear();
                if (c == '\n')
                {
                    rows.Add([.. cells]);
                    cells.Clear();
                }
            }
            else
            {
                cell.Append(c);
            }
        }

        Assert.False(isQuoted);
        return rows;
    }
}
