namespace Danube.Fast.LoadManager;

/// <summary>What a monitor looks at. Tests point it at a tree of files of their own.</summary>
public sealed record MonitorEnvironment
{
    /// <summary>Folder that holds <c>proc</c>, <c>sys</c>, <c>run</c>, <c>var</c> and <c>.dockerenv</c>.</summary>
    public string Root { get; init; } = "/";

    /// <summary>Reads an environment variable.</summary>
    public Func<string, string?> Variable { get; init; } = Environment.GetEnvironmentVariable;

    public TimeProvider Clock { get; init; } = TimeProvider.System;

    public ResourceScope Scope { get; init; } = ResourceScope.Host;

    /// <summary>The broker's data folder as an absolute path; its device is the disk that counts.</summary>
    public string DataFolder { get; init; } = "/";

    /// <summary>Bytes that the broker's own sockets carried, for <see cref="ResourceScope.Process"/>; the system does not count them per process.</summary>
    public Func<NetworkTotals>? OwnNetwork { get; init; }

    public ResourceMonitorFigures Figures { get; init; } = new();

    /// <summary>A path of the system, for example <c>proc/stat</c>, below <see cref="Root"/>.</summary>
    internal string At(string path) => Path.Combine(Root, path.TrimStart('/'));
}
