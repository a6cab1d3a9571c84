using System.Diagnostics;

namespace Danube.Fast.Client;

/// <summary>Tracing of the client. Nothing is created or allocated while nobody listens.</summary>
public static class DanubeTelemetry
{
    /// <summary>Name of the client's <see cref="ActivitySource"/>: add it to a tracer provider to see sends as spans.</summary>
    public const string ActivitySourceName = "Danube.Fast";

    internal static readonly ActivitySource Source = new(ActivitySourceName);
}
