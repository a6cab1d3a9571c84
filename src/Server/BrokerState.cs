using Danube.Fast.Protocol;

namespace Danube.Fast.Server;

/// <summary>Whether the broker takes new work. Runs on: anywhere.</summary>
internal sealed class BrokerState
{
    private volatile bool _isDraining;

    /// <summary>The answer to creates and subscribes while draining.</summary>
    public static Refusal DrainingRefusal { get; } = new(ErrorCode.Draining, "The broker is shutting down: connect again in a moment.");

    public bool IsDraining => _isDraining;

    public void BeginDraining() => _isDraining = true;
}
