using Microsoft.Extensions.Logging;

namespace Danube.Fast.Server;

/// <summary>One logger for each part of the broker: <c>log_levels</c> sets their levels by name.</summary>
internal sealed class LogCategories(ILoggerFactory factory)
{
    public const string Prefix = "Danube.Fast.";

    /// <summary>Start and stop.</summary>
    public ILogger Broker { get; } = factory.CreateLogger(Prefix + nameof(Broker));

    /// <summary>Listener, connections, requests on them.</summary>
    public ILogger Connections { get; } = factory.CreateLogger(Prefix + nameof(Connections));

    /// <summary>Topics, subscriptions, policies.</summary>
    public ILogger Topics { get; } = factory.CreateLogger(Prefix + nameof(Topics));

    /// <summary>Logs, journal, metadata, disk.</summary>
    public ILogger Storage { get; } = factory.CreateLogger(Prefix + nameof(Storage));

    /// <summary>The HTTP port.</summary>
    public ILogger Http { get; } = factory.CreateLogger(Prefix + nameof(Http));

    /// <summary>Load reports, rankings, the cluster's snapshot.</summary>
    public ILogger LoadManager { get; } = factory.CreateLogger(Prefix + nameof(LoadManager));

    /// <summary>Export of metrics and spans.</summary>
    public ILogger Telemetry { get; } = factory.CreateLogger(Prefix + nameof(Telemetry));
}
