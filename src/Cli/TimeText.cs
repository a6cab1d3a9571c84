using System.Globalization;

namespace Danube.Fast.Cli;

/// <summary>Moments as people read them. Compiled into danube-admin-cli too.</summary>
internal static class TimeText
{
    /// <summary>UTC, whole seconds.</summary>
    public static string Of(DateTimeOffset moment) => moment.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>The same of what a broker has sent; anything else stays as it is.</summary>
    public static string Of(string text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset moment) ? Of(moment) : text;
}
