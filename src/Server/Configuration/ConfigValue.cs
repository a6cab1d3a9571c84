using System.Globalization;
using System.Net;

namespace Danube.Fast.Server.Configuration;

/// <summary>Reads values of configuration keys. What is wrong with a value is said by a <see cref="FormatException"/>.</summary>
internal static class ConfigValue
{
    private static readonly (string Suffix, long Factor)[] Units = [("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30), ("TiB", 1L << 40)];

    public static long Number(string text, long min, long max)
    {
        string digits = text.Replace("_", "", StringComparison.Ordinal);
        return long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out long value) && value >= min && value <= max
            ? value
            : throw new FormatException($"must be a whole number from {min} to {max}");
    }

    public static int Int(string text, int min, int max) => (int)Number(text, min, max);

    /// <summary>Bytes: a number, or a number with KiB, MiB, GiB or TiB.</summary>
    public static long Bytes(string text, long min, long max)
    {
        string digits = text.Trim().Replace("_", "", StringComparison.Ordinal);
        long factor = 1;
        foreach ((string suffix, long unit) in Units)
        {
            if (digits.EndsWith(suffix, StringComparison.OrdinalIgnoreCase))
            {
                digits = digits[..^suffix.Length].TrimEnd();
                factor = unit;
            }
        }

        bool known = long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out long value) && value <= long.MaxValue / factor;
        return known && value * factor >= min && value * factor <= max
            ? value * factor
            : throw new FormatException($"must be a number of bytes from {min} to {max}, for example 1048576 or 1MiB");
    }

    public static bool Bool(string text) => text.ToLowerInvariant() switch
    {
        "true" or "yes" or "on" => true,
        "false" or "no" or "off" => false,
        _ => throw new FormatException("must be true or false"),
    };

    public static IPAddress Address(string text)
    {
        if (text is "localhost")
        {
            return IPAddress.Loopback;
        }

        return IPAddress.TryParse(text, out IPAddress? address)
            ? address
            : throw new FormatException("must be an IP address of this machine, for example 127.0.0.1 or 0.0.0.0 for all");
    }

    /// <summary>Any number with a decimal point; what range it must be in is checked with the others.</summary>
    public static double Decimal(string text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out double value) && double.IsFinite(value)
            ? value
            : throw new FormatException("must be a number, for example 0.25");

    /// <summary>A part of a whole, 0 to 1.</summary>
    public static double Ratio(string text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value) && value is >= 0 and <= 1
            ? value
            : throw new FormatException("must be a number from 0 to 1, for example 0.25");

    /// <summary>An address that begins with http:// or https://; null for an empty text.</summary>
    public static Uri? HttpUri(string text) => HttpUri(text, "http://127.0.0.1:4317");

    private static Uri? HttpUri(string text, string example)
    {
        if (text.Length == 0)
        {
            return null;
        }

        return Uri.TryCreate(text, UriKind.Absolute, out Uri? uri) && uri.Scheme is "http" or "https" && uri.UserInfo.Length == 0
            ? uri
            : throw new FormatException($"must be an address like {example}, without a user name");
    }

    /// <summary>Addresses of etcd as of <see cref="HttpUri(string)"/>, with commas between them; none for an empty text.</summary>
    public static IReadOnlyList<Uri> HttpUris(string text)
    {
        Uri[] all = [.. text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(t => HttpUri(t, "http://127.0.0.1:2379")).OfType<Uri>()];
        return all.Select(u => u.Scheme).Distinct().Count() < 2
            ? all
            : throw new FormatException("must have either http:// or https:// everywhere");
    }

    /// <summary>A host name or an address, without a port; empty is allowed.</summary>
    public static string HostName(string text) =>
        text.Length == 0 || Uri.CheckHostName(text.Trim('[', ']')) != UriHostNameType.Unknown
            ? text.Trim('[', ']')
            : throw new FormatException("must be a host name or an address, without a port");

    /// <summary>What keys in etcd start with; empty is allowed.</summary>
    public static string Prefix(string text) =>
        text.Length == 0 || (text.Length is >= 2 and <= 64 && text[0] == '/' && text[^1] != '/' && text.All(c => c is > ' ' and <= '~'))
            ? text
            : throw new FormatException("must be '/' and 1 to 63 more visible ASCII characters, without '/' at the end");

    public static T OneOf<T>(string text, params (string Name, T Value)[] choices)
    {
        foreach ((string name, T value) in choices)
        {
            if (string.Equals(name, text, StringComparison.Ordinal))
            {
                return value;
            }
        }

        throw new FormatException("must be one of " + string.Join(", ", choices.Select(c => c.Name)));
    }

    public static string NotEmpty(string text) => text.Length > 0 ? text : throw new FormatException("must not be empty");
}
