using System.Globalization;

namespace Danube.Fast.Cli;

/// <summary>Lengths of time on the command line: <c>500ms</c>, <c>10s</c>, <c>5m</c>, <c>2h</c>, <c>7d</c>; a plain number is seconds.</summary>
internal static class Duration
{
    /// <summary>What an option that takes one says about it.</summary>
    public const string Form = "for example 500ms, 10s, 5m, 2h or 7d; a plain number is seconds";

    private static readonly (string Unit, double Milliseconds)[] Units = [("ms", 1), ("s", 1e3), ("m", 60e3), ("h", 3600e3), ("d", 86_400e3)];

    public static bool TryParse(string? text, out TimeSpan duration)
    {
        duration = default;
        string number = text ?? "";
        double factor = 1e3;
        foreach ((string unit, double milliseconds) in Units)
        {
            if (number.EndsWith(unit, StringComparison.Ordinal))
            {
                number = number[..^unit.Length];
                factor = milliseconds;
                break;
            }
        }

        if (!double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value) || value * factor > TimeSpan.FromDays(10_000).TotalMilliseconds)
        {
            return false;
        }

        duration = TimeSpan.FromMilliseconds(Math.Round(value * factor));
        return true;
    }
}
