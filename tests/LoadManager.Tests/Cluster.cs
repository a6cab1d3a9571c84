using Danube.Fast.Core;

namespace Danube.Fast.LoadManager.Tests;

/// <summary>Brokers with reports for the tests of ranking and placement.</summary>
internal sealed class Cluster
{
    public Cluster(LoadManagerOptions? options = null)
    {
        Options = options ?? new LoadManagerOptions();
        Load = new ClusterLoad(Options, Clock);
    }

    public LoadManagerOptions Options { get; }

    public ManualClock Clock { get; } = new();

    public ClusterLoad Load { get; }

    private long Revision { get; set; }

    public Cluster With(long id, double cpu = 10, double memory = 10, int topics = 0, Func<LoadReport, LoadReport>? change = null)
    {
        Load.Board.Join(id);
        Report(id, cpu, memory, topics, change);
        return this;
    }

    public void Report(long id, double? cpu = 10, double? memory = 10, int topics = 0, Func<LoadReport, LoadReport>? change = null)
    {
        var usage = new Dictionary<ResourceType, double> { [ResourceType.DiskIo] = 0, [ResourceType.NetworkIo] = 0 };
        if (cpu is { } c)
        {
            usage[ResourceType.Cpu] = c;
        }

        if (memory is { } m)
        {
            usage[ResourceType.Memory] = m;
        }

        var report = new LoadReport { BrokerId = id, WindowMs = 30_000, ResourcesUsage = usage, TopicsLen = topics };
        Load.Board.Apply([new ReportUpdate(id, change?.Invoke(report) ?? report, ++Revision)]);
    }

    public PlacementDecision Place(string topic, TopicRequirements? requirements = null, string? partitionOf = null, long? previous = null) =>
        Load.Placement.Place(Request(topic, requirements, partitionOf, previous));

    public static PlacementRequest Request(string topic, TopicRequirements? requirements = null, string? partitionOf = null, long? previous = null) => new()
    {
        Topic = TopicName.TryParse(topic, out TopicName? name) ? name : throw new ArgumentException(topic),
        Requirements = requirements ?? TopicRequirements.None,
        PartitionOf = partitionOf,
        PreviousBroker = previous,
    };

    public (long Id, double Score)[] Scores() => [.. Load.Ranking().Brokers.ToArray().Select(b => (b.Id, Math.Round(b.Score, 4)))];
}
