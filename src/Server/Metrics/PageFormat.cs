using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Danube.Fast.Server.Metrics;

/// <summary>Formats of the metrics page.</summary>
internal enum PageFormat
{
    /// <summary>Prometheus text 0.0.4.</summary>
    Text = 0,

    /// <summary>OpenMetrics 1.0, with exemplars.</summary>
    OpenMetrics = 1,
}

/// <summary>Which format a scraper gets.</summary>
internal static class PageFormats
{
    private const string OpenMetricsType = "application/openmetrics-text";

    public static string ContentType(PageFormat format) => format == PageFormat.OpenMetrics
        ? OpenMetricsType + "; version=1.0.0; charset=utf-8"
        : "text/plain; version=0.0.4; charset=utf-8";

    /// <summary>OpenMetrics for who asks for a version of it that we write and does not prefer plain text; text for everybody else, also without a header.</summary>
    public static PageFormat Choose(HttpRequest request)
    {
        double open = 0, text = 0;
        foreach (MediaTypeHeaderValue accepted in request.GetTypedHeaders().Accept)
        {
            double quality = accepted.Quality ?? 1;
            if (accepted.MediaType.Equals(OpenMetricsType, StringComparison.OrdinalIgnoreCase))
            {
                open = IsWritten(accepted) ? Math.Max(open, quality) : open;
            }
            else if (accepted.MediaType.Equals("text/plain", StringComparison.OrdinalIgnoreCase))
            {
                text = Math.Max(text, quality);
            }
        }

        return open > 0 && open >= text ? PageFormat.OpenMetrics : PageFormat.Text;
    }

    // Without a version any will do; 0.0.1 is what scrapers called the same format before it had a number.
    private static bool IsWritten(MediaTypeHeaderValue accepted)
    {
        NameValueHeaderValue? version = accepted.Parameters.FirstOrDefault(p => p.Name.Equals("version", StringComparison.OrdinalIgnoreCase));
        return version is null || HeaderUtilities.RemoveQuotes(version.Value) is { Value: "1.0.0" or "0.0.1" };
    }
}
