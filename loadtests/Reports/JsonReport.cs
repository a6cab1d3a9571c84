using System.Text.Json;
using System.Text.Json.Nodes;
using Danube.Fast.LoadTests.Engine;
using Danube.Fast.LoadTests.Runs;

namespace Danube.Fast.LoadTests.Reports;

/// <summary>A run for programs. Names are stable; docs/load-tests.md lists them.</summary>
public static class JsonReport
{
    /// <summary>Version of the layout: grows when a name changes its meaning.</summary>
    public const int Version = 1;

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public static string Of(RunReport run) => ToNode(run).ToJsonString(Indented);

    public static JsonObject ToNode(RunReport run) => new()
    {
        ["version"] = Version,
        ["scenario"] = run.Name,
        ["verdict"] = run.Verdict,
        ["interrupted"] = run.Stats.IsInterrupted,
        ["seconds"] = Round(run.Stats.Duration.TotalSeconds),
        ["environment"] = new JsonObject
        {
            ["date"] = run.Environment.StartedAt.ToString("O"),
            ["commit"] = run.Environment.Commit,
            ["machine"] = run.Environment.Machine,
            ["processor"] = run.Environment.Processor,
            ["memory_bytes"] = run.Environment.MemoryBytes,
            ["system"] = run.Environment.System,
            ["runtime"] = run.Environment.Runtime,
            ["own_broker"] = run.OwnBroker,
            ["client_cpu"] = Round(run.ClientCpu),
        },
        ["settings"] = new JsonObject([.. run.SettingRows().Select(r => KeyValuePair.Create(r.Name, (JsonNode?)r.Value))]),
        ["steps"] = Array(run.Stats.StepStats, Step),
        ["figures"] = Array(run.Stats.Figures, f => new JsonObject
        {
            ["name"] = f.Name,
            ["value"] = Round(f.Value),
            ["unit"] = f.Unit,
        }),
        ["thresholds"] = Array(run.Stats.Thresholds, t => new JsonObject
        {
            ["text"] = t.Text,
            ["actual"] = t.Actual,
            ["verdict"] = t.Verdict switch { ThresholdVerdict.Met => "met", ThresholdVerdict.Broken => "broken", _ => "not_judged" },
            ["reason"] = t.Reason,
        }),
        ["audit"] = Array(run.Stats.Audit, a => new JsonObject
        {
            ["subscription"] = a.Subscription,
            ["acknowledged"] = a.Acknowledged,
            ["received"] = a.Received,
            ["lost"] = a.Lost,
            ["invented"] = a.Invented,
            ["out_of_order"] = a.OutOfOrder,
            ["duplicates"] = a.Duplicates,
            ["duplicates_allowed"] = a.DuplicatesAllowed,
            ["ordered"] = a.IsOrdered,
        }),
        ["findings"] = Strings(run.Stats.Findings),
        ["notes"] = Strings(run.Stats.Notes),
        ["broker"] = Array(run.Broker, b => new JsonObject
        {
            ["second"] = Round(b.Seconds),
            ["resident_bytes"] = b.ResidentBytes,
            ["private_bytes"] = b.PrivateBytes,
            ["cpu_seconds"] = Round(b.CpuSeconds),
            ["allocated_bytes"] = b.AllocatedBytes,
            ["gen2_collections"] = b.Gen2Collections,
        }),
    };

    private static JsonObject Step(StepStats step) => new()
    {
        ["name"] = step.StepName,
        ["ok"] = Measurement(step.Ok),
        ["fail"] = Measurement(step.Fail),
        ["errors"] = new JsonObject([.. step.Errors.Select(e => KeyValuePair.Create(e.Key, (JsonNode?)e.Value))]),
        ["timeline"] = Array(step.Timeline, p => new JsonObject
        {
            ["second"] = Round(p.Seconds),
            ["ok"] = p.Ok,
            ["fail"] = p.Fail,
            ["bytes"] = p.Bytes,
            ["rps"] = Round(p.Ok / p.Length),
            ["p50_ms"] = Round(p.P50),
            ["p95_ms"] = Round(p.P95),
            ["p99_ms"] = Round(p.P99),
            ["max_ms"] = Round(p.Max),
        }),
        ["distribution"] = Array(step.Distribution, d => new JsonObject
        {
            ["percent"] = d.Percent,
            ["ms"] = Round(d.Ms),
        }),
    };

    private static JsonObject Measurement(MeasurementStats m) => new()
    {
        ["count"] = m.Request.Count,
        ["percent"] = Round(m.Request.Percent),
        ["rps"] = Round(m.Request.RPS),
        ["bytes"] = m.DataTransfer.AllBytes,
        ["min_ms"] = Round(m.Latency.MinMs),
        ["mean_ms"] = Round(m.Latency.MeanMs),
        ["p50_ms"] = Round(m.Latency.Percent50),
        ["p75_ms"] = Round(m.Latency.Percent75),
        ["p95_ms"] = Round(m.Latency.Percent95),
        ["p99_ms"] = Round(m.Latency.Percent99),
        ["p999_ms"] = Round(m.Latency.Percent999),
        ["p9999_ms"] = Round(m.Latency.Percent9999),
        ["max_ms"] = Round(m.Latency.MaxMs),
    };

    private static JsonArray Array<T>(IEnumerable<T> items, Func<T, JsonObject> make) => new([.. items.Select(i => (JsonNode?)make(i))]);

    private static JsonArray Strings(IEnumerable<string> items) => new([.. items.Select(i => (JsonNode?)i)]);

    // A figure without a value (no sample, a division by nothing) must not make the file unreadable.
    private static double Round(double value) => double.IsFinite(value) ? Math.Round(value, 6) : 0;
}
