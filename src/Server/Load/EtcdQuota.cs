using System.Globalization;

namespace Danube.Fast.Server.Load;

/// <summary>
/// What the database of etcd may grow to. Its API does not say that, its page of metrics does, on the same port; where that asks for certificates the
/// quota is not known. Runs on: the load service and HTTP requests.
/// </summary>
internal sealed class EtcdQuota(IReadOnlyList<Uri> endpoints)
{
    private const string Family = "etcd_server_quota_backend_bytes ";

    private static readonly HttpClient Client = new(new SocketsHttpHandler
    {
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(10),
        UseProxy = false,
        AllowAutoRedirect = false,
        UseCookies = false,
    });

    /// <summary>Bytes, or null when nobody says.</summary>
    public async Task<long?> ReadAsync(CancellationToken cancellationToken)
    {
        foreach (Uri endpoint in endpoints.Where(e => e.Scheme == Uri.UriSchemeHttp))
        {
            try
            {
                string page = await Client.GetStringAsync(new Uri(endpoint, "/metrics"), cancellationToken);
                int at = page.IndexOf("\n" + Family, StringComparison.Ordinal);
                if (at >= 0 && double.TryParse(page[(at + 1 + Family.Length)..].Split('\n', 2)[0], NumberStyles.Float, CultureInfo.InvariantCulture, out double bytes) && bytes > 0)
                {
                    return (long)bytes;
                }
            }
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
            {
                // The next one may answer.
            }
        }

        return null;
    }
}
