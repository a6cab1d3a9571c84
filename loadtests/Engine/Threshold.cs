using System.Globalization;

namespace Danube.Fast.LoadTests.Engine;

/// <summary>A condition on the finished scenario. When it does not hold, the run fails.</summary>
public sealed class Threshold
{
    private readonly Func<ScenarioStats, ThresholdResult> _judge;

    private Threshold(Func<ScenarioStats, ThresholdResult> judge) => _judge = judge;

    /// <summary>A condition in words.</summary>
    public static Threshold Create(string text, Func<ScenarioStats, bool> holds) =>
        new(s => holds(s) ? new ThresholdResult(text, "", ThresholdVerdict.Met) : new ThresholdResult(text, "", ThresholdVerdict.Broken));

    /// <summary>A figure that must not be above <paramref name="limit"/>. A figure that is missing (null) breaks the threshold.</summary>
    public static Threshold AtMost(string what, double limit, string unit, Func<ScenarioStats, double?> value) =>
        Compare($"{what} <= {Number(limit)} {unit}", unit, value, v => v <= limit);

    /// <summary>A figure that must not be below <paramref name="limit"/>. A figure that is missing (null) breaks the threshold.</summary>
    public static Threshold AtLeast(string what, double limit, string unit, Func<ScenarioStats, double?> value) =>
        Compare($"{what} >= {Number(limit)} {unit}", unit, value, v => v >= limit);

    /// <summary>This threshold, or null-verdict with a reason where it cannot be judged.</summary>
    public Threshold Unless(Func<ScenarioStats, string?> reason) => new(s => reason(s) is { } why
        ? _judge(s) with { Verdict = ThresholdVerdict.NotJudged, Reason = why }
        : _judge(s));

    public ThresholdResult Judge(ScenarioStats stats) => _judge(stats);

    private static Threshold Compare(string text, string unit, Func<ScenarioStats, double?> value, Func<double, bool> holds) => new(s =>
    {
        double? actual = value(s);
        return new ThresholdResult(
            text, actual is { } v ? $"{Number(v)} {unit}" : "nothing was measured", actual is { } a && holds(a) ? ThresholdVerdict.Met : ThresholdVerdict.Broken);
    });

    private static string Number(double value) => value.ToString(Math.Abs(value) >= 100 ? "#,0" : Math.Abs(value) >= 1 ? "0.##" : "0.####", CultureInfo.InvariantCulture);
}

public enum ThresholdVerdict
{
    Met,
    Broken,
    NotJudged,
}

/// <summary>A threshold and what became of it.</summary>
/// <param name="Text">The condition.</param>
/// <param name="Actual">The figure that was measured; empty for conditions in words.</param>
/// <param name="Verdict">Whether it holds.</param>
/// <param name="Reason">Why it was not judged.</param>
public sealed record ThresholdResult(string Text, string Actual, ThresholdVerdict Verdict, string Reason = "");
