using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Danube.Fast.LoadTests.Engine;

namespace Danube.Fast.LoadTests.Reports;

/// <summary>The finished run as Markdown, CSV and JSON.</summary>
public static class LoadReport
{
    private static readonly double[] Percentiles = [50, 75, 95, 99, 99.9];
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>Writes <c>report.md</c>, <c>report.csv</c> and <c>report.json</c>.</summary>
    public static void Write(DirectoryInfo folder, IReadOnlyList<ScenarioStats> runs)
    {
        folder.Create();
        File.WriteAllText(Path.Combine(folder.FullName, "report.md"), ToMarkdown(runs));
        File.WriteAllText(Path.Combine(folder.FullName, "report.csv"), ToCsv(runs));
        File.WriteAllText(Path.Combine(folder.FullName, "report.json"), ToJson(runs));
    }

    public static string ToMarkdown(IReadOnlyList<ScenarioStats> runs)
    {
        var text = new StringBuilder();
        foreach (ScenarioStats run in runs)
        {
            text.AppendLine($"## {run.Name}: {(run.IsOk ? "ok" : "FAILED")}").AppendLine();
            text.AppendLine("| step | ok | fail | RPS | MB/s | mean ms | p50 | p75 | p95 | p99 | p99.9 | max |");
            text.AppendLine("|---|---|---|---|---|---|---|---|---|---|---|---|");
            foreach (StepStats step in run.Steps)
            {
                text.AppendLine($"| {string.Join(" | ", Cells(run, step))} |");
            }

            foreach ((string error, long count) in run.Steps.SelectMany(s => s.Errors).Take(20))
            {
                text.AppendLine().AppendLine($"- {count:N0} x {error}");
            }

            foreach (string finding in run.Findings.Select(f => "auditor: " + f).Concat(run.Broken.Select(b => "threshold broken: " + b)))
            {
                text.AppendLine().AppendLine("- " + finding);
            }

            text.AppendLine();
        }

        return text.ToString();
    }

    private static string ToCsv(IReadOnlyList<ScenarioStats> runs)
    {
        var text = new StringBuilder("scenario,step,ok,fail,rps,mb_per_s,mean_ms,p50_ms,p75_ms,p95_ms,p99_ms,p999_ms,max_ms\n");
        foreach (ScenarioStats run in runs)
        {
            foreach (StepStats step in run.Steps)
            {
                text.Append(run.Name).Append(',').AppendJoin(',', Cells(run, step)).Append('\n');
            }
        }

        return text.ToString();
    }

    private static string ToJson(IReadOnlyList<ScenarioStats> runs)
    {
        var array = new JsonArray();
        foreach (ScenarioStats run in runs)
        {
            var steps = new JsonArray();
            foreach (StepStats step in run.Steps)
            {
                var node = new JsonObject
                {
                    ["name"] = step.Name,
                    ["ok"] = step.OkCount,
                    ["fail"] = step.FailCount,
                    ["rps"] = Rps(run, step),
                    ["bytes"] = step.Bytes,
                    ["mean_ms"] = step.MeanMs,
                    ["max_ms"] = step.MaxMs,
                };
                foreach (double percent in Percentiles)
                {
                    node[FormattableString.Invariant($"p{percent}_ms")] = step.OkMs(percent);
                }

                steps.Add((JsonNode)node);
            }

            array.Add((JsonNode)new JsonObject
            {
                ["scenario"] = run.Name,
                ["ok"] = run.IsOk,
                ["seconds"] = run.Duration.TotalSeconds,
                ["steps"] = steps,
                ["findings"] = new JsonArray([.. run.Findings.Select(f => (JsonNode)f)]),
                ["broken_thresholds"] = new JsonArray([.. run.Broken.Select(b => (JsonNode)b)]),
            });
        }

        return array.ToJsonString(Indented);
    }

    private static string[] Cells(ScenarioStats run, StepStats step) =>
    [
        step.Name, step.OkCount.ToString(CultureInfo.InvariantCulture), step.FailCount.ToString(CultureInfo.InvariantCulture), Number(Rps(run, step)),
        Number(step.Bytes / run.Duration.TotalSeconds / 1e6), Number(step.MeanMs), .. Percentiles.Select(p => Number(step.OkMs(p))), Number(step.MaxMs),
    ];

    private static double Rps(ScenarioStats run, StepStats step) => step.OkCount / run.Duration.TotalSeconds;

    private static string Number(double value) => value.ToString("0.00", CultureInfo.InvariantCulture);
}
