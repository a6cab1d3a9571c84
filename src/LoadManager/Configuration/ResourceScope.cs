namespace Danube.Fast.LoadManager;

/// <summary>What the resource readings of a broker are about.</summary>
public enum ResourceScope
{
    /// <summary>The machine, or the container's share of it. One broker on a machine.</summary>
    Host = 0,

    /// <summary>The broker's process alone. Several brokers on one machine.</summary>
    Process = 1,
}
