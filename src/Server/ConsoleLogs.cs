using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace Danube.Fast.Server;

/// <summary>Log lines on standard error, as text or one JSON object a line.</summary>
internal static class ConsoleLogs
{
    private const string TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";

    public static ILoggerFactory Create(LogOutputOptions options) => LoggerFactory.Create(builder =>
    {
        builder.SetMinimumLevel(options.Level);
        foreach ((string category, LogLevel level) in options.Levels.Set)
        {
            builder.AddFilter(LogCategories.Prefix + category, level);
        }

        builder.AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        if (options.Json)
        {
            builder.AddJsonConsole(json =>
            {
                json.TimestampFormat = TimestampFormat.TrimEnd();
                json.UseUtcTimestamp = true;
            });
        }
        else
        {
            builder.AddSimpleConsole(text =>
            {
                text.SingleLine = true;
                text.TimestampFormat = TimestampFormat;
                text.UseUtcTimestamp = true;
                text.ColorBehavior = LoggerColorBehavior.Disabled;
            });
        }
    });
}
