using System.Diagnostics;

namespace Danube.Fast.Client;

/// <summary>Tracing of the client. Nothing is created or allocated while nobody listens, nor for a message that is not sampled.</summary>
public static class DanubeTelemetry
{
    /// <summary>
    /// Name of the client's <see cref="ActivitySource"/>: add it to a tracer provider to see messages that are sent (<c>publish</c>), posted inside of a sampled
    /// activity (<c>create</c>) and handled (<c>process</c>) as spans, and to have messages carry the context of the sampled activity that they are sent in.
    /// The broker's source has the same name.
    /// </summary>
    public const string ActivitySourceName = "Danube.Fast";

    internal static readonly ActivitySource Source = new(ActivitySourceName);
}
