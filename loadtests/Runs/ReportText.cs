using System.Globalization;

namespace Danube.Fast.LoadTests.Runs;

/// <summary>Figures as people read them; always with the invariant culture.</summary>
public static class ReportText
{
    /// <summary>At most four significant digits, thousands separated.</summary>
    public static string Number(double value) => value.ToString(
        double.IsInteger(value) || Math.Abs(value) >= 1000 ? "#,0" : Math.Abs(value) >= 100 ? "0.#" : Math.Abs(value) >= 1 ? "0.##" : "0.####", CultureInfo.InvariantCulture);

    /// <summary>Milliseconds, as the tables have them: three digits behind the point below ten.</summary>
    public static string Ms(double value) => value.ToString(value >= 1000 ? "#,0" : value >= 100 ? "0.0" : value >= 10 ? "0.00" : "0.000", CultureInfo.InvariantCulture);

    /// <summary>A time given in milliseconds with the unit that suits it.</summary>
    public static string Time(double ms) => ms >= 1000 ? Number(ms / 1000) + " s" : ms >= 1 ? Number(ms) + " ms" : Number(ms * 1000) + " \u00b5s";

    /// <summary>Bytes with the unit that suits them.</summary>
    public static string Bytes(double bytes) => bytes >= 1e9 ? Number(bytes / 1e9) + " GB" : bytes >= 1e6 ? Number(bytes / 1e6) + " MB"
        : bytes >= 10_000 ? Number(bytes / 1e3) + " kB" : Number(bytes) + " B";

    /// <summary>For programs: no separators.</summary>
    public static string Plain(double value) => value.ToString("0.######", CultureInfo.InvariantCulture);
}
