using Microsoft.Extensions.Logging;

namespace Danube.Fast.Server;

/// <summary>Levels of the parts of the broker; null = that of <c>log.level</c>.</summary>
public sealed record LogLevels
{
    public LogLevel? Broker { get; init; }
    public LogLevel? Connections { get; init; }
    public LogLevel? Topics { get; init; }
    public LogLevel? Storage { get; init; }
    public LogLevel? Http { get; init; }
    public LogLevel? LoadManager { get; init; }
    public LogLevel? Telemetry { get; init; }

    /// <summary>Those that are set, with the name of the part.</summary>
    internal IEnumerable<(string Category, LogLevel Level)> Set
    {
        get
        {
            foreach ((string category, LogLevel? level) in new[]
            {
                (nameof(Broker), Broker), (nameof(Connections), Connections), (nameof(Topics), Topics), (nameof(Storage), Storage),
                (nameof(Http), Http), (nameof(LoadManager), LoadManager), (nameof(Telemetry), Telemetry),
            })
            {
                if (level is { } set)
                {
                    yield return (category, set);
                }
            }
        }
    }
}
