using Danube.Fast.Server.Metrics;
using Danube.Fast.Server.Topics;
using Microsoft.Extensions.Logging;

namespace Danube.Fast.Server.Sessions;

/// <summary>What every session of the process shares.</summary>
internal sealed record SessionServices(BrokerOptions Options, string BrokerName, BrokerState State, TopicRegistry Topics, RequestCounters Requests, ClientDirectory Clients, ILogger Log)
{
    /// <summary>Id of this broker in its cluster; null for a broker by itself.</summary>
    public int? BrokerId { get; init; }

    /// <summary>Whether a client name is that of another broker of the cluster; null for a broker by itself.</summary>
    public Func<string, bool>? IsPeer { get; init; }

    /// <summary>All connections; there when the first one is.</summary>
    public required Func<SessionTable> Sessions { get; init; }
}
