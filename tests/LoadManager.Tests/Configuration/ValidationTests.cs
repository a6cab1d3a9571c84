namespace Danube.Fast.LoadManager.Tests;

/// <summary>Wrong values are errors that name their key.</summary>
public sealed class ValidationTests
{
    [Fact]
    public void The_defaults_are_right() => Assert.Empty(LoadManagerValidation.Check(new LoadManagerOptions()));

    [Theory]
    [InlineData(0.25, true)]
    [InlineData(0.251, true)]
    [InlineData(0.249, true)]
    [InlineData(0.252, false)]
    [InlineData(0.0, false)]
    public void Weights_sum_to_one_within_a_thousandth(double cpu, bool isRight)
    {
        IReadOnlyList<OptionFault> faults = LoadManagerValidation.Check(new LoadManagerOptions { RankingWeights = new RankingWeights { Cpu = cpu } });
        Assert.Equal(isRight ? [] : ["load_manager.ranking_weights"], faults.Select(f => f.Key));
    }

    [Fact]
    public void A_weight_is_from_0_to_1_even_when_the_sum_is_right()
    {
        var weights = new RankingWeights { Cpu = 1.25, Memory = -0.8 };
        Assert.Equal(["load_manager.ranking_weights.cpu", "load_manager.ranking_weights.memory"], Keys(new LoadManagerOptions { RankingWeights = weights }));
        Assert.Equal(2, Keys(new LoadManagerOptions { RankingWeights = new RankingWeights { Cpu = double.NaN } }).Count);
    }

    [Fact]
    public void Numbers_have_ranges()
    {
        var wrong = new LoadManagerOptions
        {
            MaxTopics = 0,
            ReportIntervalSeconds = 0,
            ReportMinIntervalSeconds = 31,
            ResourceSampleSeconds = 6,
            ReportChangePoints = 0,
            Capacity = new CapacityOptions { Cores = 0, MemoryBytes = -1, ThroughputMbps = double.PositiveInfinity },
        };
        Assert.Equal(
            ["capacity.cores", "capacity.memory_bytes", "capacity.throughput_mbps", "max_topics", "report_change_points", "report_interval_seconds", "report_min_interval_seconds", "resource_sample_seconds"],
            Keys(wrong).Select(k => k["load_manager.".Length..]));
        Assert.Equal(["load_manager.report_min_interval_seconds"], Keys(new LoadManagerOptions { ReportIntervalSeconds = 3 }));
    }

    [Theory]
    [InlineData("simple", RankingAlgorithm.Simple)]
    [InlineData("weighted_composite", RankingAlgorithm.WeightedComposite)]
    [InlineData("bottleneck", RankingAlgorithm.Bottleneck)]
    public void Algorithms_have_names(string name, RankingAlgorithm algorithm)
    {
        Assert.True(LoadManagerValidation.TryParseAlgorithm(name, out RankingAlgorithm parsed));
        Assert.Equal(algorithm, parsed);
        Assert.Contains(name, LoadManagerValidation.AlgorithmNames);
    }

    [Fact]
    public void Unknown_names_are_errors_and_no_silent_default()
    {
        Assert.False(LoadManagerValidation.TryParseAlgorithm("Weighted", out _));
        Assert.False(LoadManagerValidation.TryParseAlgorithm(null, out _));
        Assert.False(LoadManagerValidation.TryParseScope("container", out _));
        Assert.True(LoadManagerValidation.TryParseScope("process", out ResourceScope scope));
        Assert.Equal(ResourceScope.Process, scope);
    }

    [Fact]
    public void Groups_are_checked_one_by_one()
    {
        AffinityGroup right = new() { Name = "a", Topics = ["/analytics/*", "/x/[ab]?", "**/exact"], PreferBrokers = [1] };
        Assert.Empty(Keys(Of(right)));
        Assert.Equal(["affinity_groups[1].name"], Short(Of(right, right)));
        Assert.Equal(["affinity_groups[0].name"], Short(Of(right with { Name = "" })));
        Assert.Equal(["affinity_groups[0].topics"], Short(Of(right with { Topics = [] })));
        Assert.Equal(["affinity_groups[0].topics"], Short(Of(right with { Topics = ["analytics/*"] })));
        Assert.Equal(["affinity_groups[0].topics"], Short(Of(right with { Topics = ["/x/[ab"] })));
        Assert.Equal(["affinity_groups[0]"], Short(Of(right with { PreferBrokers = [] })));
        Assert.Equal(["affinity_groups[0]"], Short(Of(right with { PreferBrokers = [0] })));
        Assert.Equal(["affinity_groups[0]"], Short(Of(right with { AvoidBrokers = [1] })));
    }

    private static List<string> Short(LoadManagerOptions options) => [.. Keys(options).Select(k => k["load_manager.placement_rules.".Length..])];

    private static List<string> Keys(LoadManagerOptions options) => [.. LoadManagerValidation.Check(options).Select(f => f.Key).Order(StringComparer.Ordinal)];

    private static LoadManagerOptions Of(params AffinityGroup[] groups) => new() { PlacementRules = new PlacementRules { AffinityGroups = groups } };
}
