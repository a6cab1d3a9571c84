using System.Globalization;

namespace Danube.Fast.Cli;

/// <summary>Sizes on the command line (<c>65536</c>, <c>64K</c>, <c>1M</c>) and in reports.</summary>
internal static class ByteSize
{
    /// <summary>Parses a whole number of bytes with an optional K or M (1024 and 1024²).</summary>
    public static bool TryParse(string text, out int bytes)
    {
        bytes = 0;
        int factor = text.Length == 0 ? 1 : char.ToUpperInvariant(text[^1]) switch
        {
            'K' => 1024,
            'M' => 1024 * 1024,
            _ => 1,
        };
        if (!int.TryParse(factor == 1 ? text : text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            || number == 0 || number > int.MaxValue / factor)
        {
            return false;
        }

        bytes = number * factor;
        return true;
    }

    /// <summary>Megabytes (10^6) with one decimal.</summary>
    public static string Megabytes(double bytes) => (bytes / 1e6).ToString("N1", CultureInfo.InvariantCulture) + " MB";
}
