namespace Danube.Fast.LoadManager;

/// <summary>Wishes about which broker gets a topic.</summary>
public sealed record PlacementRules
{
    /// <summary>Among brokers that are nearly equal, prefer the one with most topics of the namespace.</summary>
    public bool NamespaceAffinity { get; init; }

    /// <summary>Spread the partitions of one topic over the brokers (there are no replicas that could be spread).</summary>
    public bool ReplicaAntiAffinity { get; init; } = true;

    /// <summary>Groups of topics with brokers that they prefer or avoid, in the order of the file.</summary>
    public IReadOnlyList<AffinityGroup> AffinityGroups { get; init; } = [];
}

/// <summary>Topics that belong together, and where they should or should not be.</summary>
public sealed record AffinityGroup
{
    public string Name { get; init; } = "";

    /// <summary>Globs over full topic names, for example <c>/analytics/*</c>.</summary>
    public IReadOnlyList<string> Topics { get; init; } = [];

    /// <summary>Broker ids; empty = no preference.</summary>
    public IReadOnlyList<long> PreferBrokers { get; init; } = [];

    /// <summary>Broker ids; empty = none.</summary>
    public IReadOnlyList<long> AvoidBrokers { get; init; } = [];
}
