using DotNet.Globbing;

namespace Danube.Fast.LoadManager;

/// <summary>Something wrong with a value of the section <c>load_manager</c>.</summary>
/// <param name="Key">Full name of the key, for example <c>load_manager.ranking_weights.cpu</c>.</param>
/// <param name="Sentence">What is wrong and what is allowed.</param>
public sealed record OptionFault(string Key, string Sentence);

/// <summary>The rules for <see cref="LoadManagerOptions"/>. Nothing falls back silently: a wrong value is a fault that names its key.</summary>
public static class LoadManagerValidation
{
    private const string Section = "load_manager.";

    /// <summary>Names of the algorithms as the configuration writes them.</summary>
    public static IReadOnlyList<string> AlgorithmNames { get; } = ["simple", "weighted_composite", "bottleneck"];

    /// <summary>The algorithm of a name in the configuration; false for an unknown one, which is an error at start.</summary>
    public static bool TryParseAlgorithm(string? text, out RankingAlgorithm algorithm)
    {
        (algorithm, bool isKnown) = text switch
        {
            "simple" => (RankingAlgorithm.Simple, true),
            "weighted_composite" => (RankingAlgorithm.WeightedComposite, true),
            "bottleneck" => (RankingAlgorithm.Bottleneck, true),
            _ => (default, false),
        };
        return isKnown;
    }

    /// <summary>The scope of a name in the configuration; false for an unknown one.</summary>
    public static bool TryParseScope(string? text, out ResourceScope scope)
    {
        scope = text == "process" ? ResourceScope.Process : ResourceScope.Host;
        return text is "host" or "process";
    }

    /// <summary>Everything that is wrong; empty when the options may be used.</summary>
    public static IReadOnlyList<OptionFault> Check(LoadManagerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var faults = new List<OptionFault>();
        Weights(options.RankingWeights, faults);
        Range(faults, "max_topics", options.MaxTopics, 1, 1_000_000);
        Range(faults, "report_interval_seconds", options.ReportIntervalSeconds, 1, 3600);
        Range(faults, "report_min_interval_seconds", options.ReportMinIntervalSeconds, 1, Math.Clamp(options.ReportIntervalSeconds, 1, 3600));
        Range(faults, "resource_sample_seconds", options.ResourceSampleSeconds, 1, 5);
        if (!(options.ReportChangePoints is > 0 and <= 100))
        {
            faults.Add(new OptionFault(Section + "report_change_points", $"must be above 0 and at most 100, it is {options.ReportChangePoints}."));
        }

        foreach ((string key, double? value) in options.Capacity.Named())
        {
            if (value is { } number && !(number > 0 && double.IsFinite(number)))
            {
                faults.Add(new OptionFault(Section + "capacity." + key, $"must be above 0, it is {number}. Leave it out to have it detected."));
            }
        }

        Groups(options.PlacementRules.AffinityGroups, faults);
        return faults;
    }

    private static void Weights(RankingWeights weights, List<OptionFault> faults)
    {
        foreach ((string key, double value) in weights.Named())
        {
            if (!(value is >= 0 and <= 1))
            {
                faults.Add(new OptionFault(Section + "ranking_weights." + key, $"must be from 0 to 1, it is {value}."));
            }
        }

        if (!(Math.Abs(weights.Sum - 1) <= RankingWeights.SumTolerance + 1e-9))
        {
            faults.Add(new OptionFault(Section + "ranking_weights", $"must sum to 1.0 (within {RankingWeights.SumTolerance}), they sum to {weights.Sum:0.####}."));
        }
    }

    private static void Range(List<OptionFault> faults, string key, int value, int least, int most)
    {
        if (value < least || value > most)
        {
            faults.Add(new OptionFault(Section + key, $"must be from {least} to {most}, it is {value}."));
        }
    }

    private static void Groups(IReadOnlyList<AffinityGroup> groups, List<OptionFault> faults)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (int i = 0; i < groups.Count; i++)
        {
            AffinityGroup group = groups[i];
            string key = $"{Section}placement_rules.affinity_groups[{i}]";
            if (group.Name.Length == 0 || !names.Add(group.Name))
            {
                faults.Add(new OptionFault(key + ".name", "must be a name that no other group has."));
            }

            if (group.Topics.Count == 0)
            {
                faults.Add(new OptionFault(key + ".topics", "must name at least one topic or glob."));
            }

            faults.AddRange(group.Topics.Where(t => !IsGlob(t)).Select(t => new OptionFault(key + ".topics", $"'{t}' is not a glob over topic names such as /analytics/*.")));
            if (group.PreferBrokers.Count == 0 && group.AvoidBrokers.Count == 0)
            {
                faults.Add(new OptionFault(key, "must have prefer_brokers or avoid_brokers."));
            }

            if (group.PreferBrokers.Concat(group.AvoidBrokers).Any(id => id < 1))
            {
                faults.Add(new OptionFault(key, "must name brokers by positive ids."));
            }

            if (group.PreferBrokers.Intersect(group.AvoidBrokers).Any())
            {
                faults.Add(new OptionFault(key, "must not prefer and avoid the same broker."));
            }
        }
    }

    // The library reads an open bracket as an ordinary character; here it is taken for a typing error.
    private static bool IsGlob(string text)
    {
        bool isOfNames = text.StartsWith('/') || text.StartsWith("**/", StringComparison.Ordinal);
        if (!isOfNames || text.Count(c => c == '[') != text.Count(c => c == ']'))
        {
            return false;
        }

        try
        {
            Glob.Parse(text);
            return true;
        }
        catch (Exception e) when (e is FormatException or ArgumentException or NotSupportedException or InvalidOperationException)
        {
            return false;
        }
    }
}
