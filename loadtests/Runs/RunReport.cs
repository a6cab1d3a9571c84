using Danube.Fast.LoadTests.Engine;
using Danube.Fast.LoadTests.Scenarios;
using Danube.Fast.LoadTests.Watch;

namespace Danube.Fast.LoadTests.Runs;

/// <summary>A finished run with everything that the reports show.</summary>
/// <param name="Description">Of the scenario.</param>
/// <param name="Settings">Used.</param>
/// <param name="Environment">Where it ran.</param>
/// <param name="Stats">What was measured and judged.</param>
/// <param name="Broker">Samples of the broker process; empty when nothing is known of it.</param>
/// <param name="OwnBroker">True when the run started a broker of its own.</param>
/// <param name="ClientCpu">Processors that this process used, on average.</param>
public sealed record RunReport(
    string Description, ScenarioSettings Settings, RunEnvironment Environment, ScenarioStats Stats, IReadOnlyList<BrokerSample> Broker, bool OwnBroker, double ClientCpu)
{
    public string Name => Stats.ScenarioName;

    /// <summary>PASSED, FAILED or INTERRUPTED: a fault that was found before Ctrl-C counts.</summary>
    public string Verdict => !Stats.IsOk ? "FAILED" : Stats.IsInterrupted ? "INTERRUPTED" : "PASSED";

    /// <summary>Everything that made it fail, one sentence each.</summary>
    public IEnumerable<string> Faults => Stats.Thresholds.Where(t => t.Verdict == ThresholdVerdict.Broken)
        .Select(t => $"threshold broken: {t.Text}{(t.Actual.Length > 0 ? $" (measured: {t.Actual})" : "")}")
        .Concat(Stats.Findings);

    /// <summary>Processors that the broker used on average; null when it is not known.</summary>
    public double? BrokerCpu => Broker.Count > 1 && Broker[^1].Seconds > Broker[0].Seconds
        ? (Broker[^1].CpuSeconds - Broker[0].CpuSeconds) / (Broker[^1].Seconds - Broker[0].Seconds)
        : null;

    /// <summary>Largest memory of the broker seen, bytes.</summary>
    public long? BrokerPeakBytes => Broker.Count > 0 ? Broker.Max(s => s.MemoryBytes) : null;

    /// <summary>The settings that matter, by name.</summary>
    public IEnumerable<(string Name, string Value)> SettingRows()
    {
        yield return ("rate", $"{ReportText.Number(Settings.Rate)} messages/s, injected (open model)");
        yield return ("payload", Name == "mixed-sizes" ? "16 B to 10 MB" : ReportText.Bytes(Settings.SizeBytes));
        yield return ("durability", Settings.Durability);
        yield return ("duration", $"{ReportText.Number(Settings.During.TotalSeconds)} s after {ReportText.Number(Settings.WarmUp.TotalSeconds)} s of warm-up");
        foreach ((string name, int value, int usual) in new[]
        {
            ("producers", Settings.Producers, 1), ("consumers", Settings.Consumers, 1), ("connections", Settings.Connections, 0), ("topics", Settings.Topics, 1),
            ("keys", Settings.Keys, 0),
        })
        {
            if (value != usual)
            {
                yield return (name, ReportText.Number(value));
            }
        }

        yield return ("broker", OwnBroker ? "a process of its own on this machine, in a temporary folder" : Settings.Url);
    }
}
