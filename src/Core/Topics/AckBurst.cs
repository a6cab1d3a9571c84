namespace Danube.Fast.Core;

/// <summary>
/// Puts off the sends of acknowledgements on one thread: when one commit makes many topics durable, each connection is sent to once instead of once per topic. Between
/// <see cref="Begin"/> and <see cref="End"/> acknowledgements only enter the send queues.
/// Runs on: the thread that commits. Shared with: nobody.
/// </summary>
public sealed class AckBurst
{
    [ThreadStatic]
    private static AckBurst? _current;

    private readonly SinkSet _sinks = new();

    /// <summary>From now on the sends of this thread wait.</summary>
    public void Begin() => _current = this;

    /// <summary>Sends what waits. More may follow.</summary>
    public void Flush()
    {
        End();
        Begin();
    }

    /// <summary>Sends what waits; from now on this thread sends at once again.</summary>
    public void End()
    {
        _current = null; // First: what a send leads to on this thread must not come into the set that is being worked off.
        _sinks.Flush();
    }

    /// <summary>True when the sink waits for the end of a burst; else the caller sends.</summary>
    internal static bool TryAdd(IFrameSink sink)
    {
        AckBurst? current = _current;
        current?._sinks.Add(sink);
        return current is not null;
    }
}
