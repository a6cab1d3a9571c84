using System.Globalization;

namespace Danube.Fast.Client;

/// <summary>Host and port of a broker.</summary>
internal readonly record struct BrokerAddress(string Host, int Port)
{
    public const int DefaultPort = 6650;

    private const string Scheme = "danube://";

    /// <summary>Reads <c>danube://host:port</c>, <c>host:port</c> or <c>host</c>; IPv6 addresses stand in brackets.</summary>
    /// <exception cref="ArgumentException">The text is none of these.</exception>
    public static BrokerAddress Parse(string url)
    {
        ArgumentException.ThrowIfNullOrEmpty(url);
        return TryParse(url, out BrokerAddress address)
            ? address
            : throw new ArgumentException($"'{url}' is not a broker address: write danube://host:port, for example danube://127.0.0.1:6650.", nameof(url));
    }

    /// <summary>Reads one or several of them, with commas between: <c>danube://one:6650,two:6650</c>.</summary>
    /// <exception cref="ArgumentException">One of them is no address.</exception>
    public static BrokerAddress[] ParseAll(string urls)
    {
        ArgumentException.ThrowIfNullOrEmpty(urls);
        return [.. urls.Split(',', StringSplitOptions.TrimEntries).Select(Parse)];
    }

    /// <summary>As <see cref="Parse"/>; false when the text is none of these.</summary>
    public static bool TryParse(string url, out BrokerAddress address)
    {
        string text = url.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? url[Scheme.Length..].TrimEnd('/') : url;
        int colon = text.EndsWith(']') ? -1 : text.LastIndexOf(':');
        string host = (colon < 0 ? text : text[..colon]).Trim('[', ']');
        int port = DefaultPort;
        bool good = host.Length > 0 && !host.Contains('/', StringComparison.Ordinal)
            && (colon < 0 || int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out port))
            && port is > 0 and <= 65_535;
        address = good ? new BrokerAddress(host, port) : default;
        return good;
    }

    public override string ToString() => $"{Scheme}{(Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host)}:{Port.ToString(CultureInfo.InvariantCulture)}";
}
