using System.Globalization;

namespace Danube.Fast.LoadTests.Scenarios;

/// <summary>Addresses as the command line takes them.</summary>
public static class BrokerUrl
{
    public const int DefaultPort = 6650;

    private const string Scheme = "danube://";

    /// <exception cref="ArgumentException">It is not an address.</exception>
    public static (string Host, int Port) Split(string url) => TrySplit(url, out string host, out int port)
        ? (host, port)
        : throw new ArgumentException($"'{url}' is not a broker address: write danube://host:port.", nameof(url));

    public static bool TrySplit(string url, out string host, out int port)
    {
        string text = url.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? url[Scheme.Length..].TrimEnd('/') : url;
        int colon = text.EndsWith(']') ? -1 : text.LastIndexOf(':');
        host = (colon < 0 ? text : text[..colon]).Trim('[', ']');
        port = DefaultPort;
        return host.Length > 0 && !host.Contains('/', StringComparison.Ordinal)
            && (colon < 0 || (int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out port) && port is > 0 and <= 65_535));
    }
}
