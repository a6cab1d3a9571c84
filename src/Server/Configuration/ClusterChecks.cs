using System.Net;

namespace Danube.Fast.Server.Configuration;

/// <summary>Whether the keys of a cluster fit together.</summary>
internal static class ClusterChecks
{
    /// <exception cref="ConfigException">They do not; the message says which and why.</exception>
    public static void Check(BrokerOptions options)
    {
        ClusterOptions cluster = options.Cluster;
        if (options.MetaStore == MetaStore.Embedded)
        {
            if (FirstSet(cluster) is { } key)
            {
                throw new ConfigException($"'{key}' is set, but 'meta_store' is embedded: a broker by itself has no such thing. Set meta_store to etcd, or take '{key}' away.");
            }

            return;
        }

        if (cluster.BrokerId == 0)
        {
            throw new ConfigException("'broker.id' is missing: with 'meta_store' etcd each broker needs a number of its own, from 1.");
        }

        if (cluster.Endpoints.Count == 0 && cluster.OpenStore is null)
        {
            throw new ConfigException("'etcd.endpoints' is missing: 'meta_store' is etcd, for example etcd.endpoints: http://127.0.0.1:2379");
        }

        if (cluster.AdvertisedHost.Length == 0 && (IsAnywhere(options.ListenAddress) || IsAnywhere(options.HttpAddress)))
        {
            throw new ConfigException("'broker.advertised_host' is missing: this broker listens on all addresses, and nobody can connect to that one. Name the one that clients and other brokers can reach.");
        }

        string reached = cluster.AdvertisedHost.Length > 0 ? cluster.AdvertisedHost : options.ListenAddress.ToString();
        if (!IsThisMachine(reached) && IPAddress.IsLoopback(options.HttpAddress))
        {
            throw new ConfigException($"'http.address' is {options.HttpAddress}, but others reach this broker at {reached}: the other brokers ask it over HTTP, and cannot do that. Set http.address to 0.0.0.0 or to an address of {reached}, and let only brokers and operators through the firewall.");
        }

        if (cluster.CertificateFile.Length == 0 != (cluster.KeyFile.Length == 0))
        {
            throw new ConfigException("'etcd.certificate_file' and 'etcd.key_file' belong together: set both or none.");
        }

        if (cluster.User.Length == 0 != (cluster.PasswordFile.Length == 0))
        {
            throw new ConfigException("'etcd.user' and 'etcd.password_file' belong together: set both or none.");
        }
    }

    private static bool IsAnywhere(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);

    private static bool IsThisMachine(string host) =>
        IPAddress.TryParse(host, out IPAddress? address) ? IPAddress.IsLoopback(address) : host.Equals("localhost", StringComparison.OrdinalIgnoreCase);

    private static string? FirstSet(ClusterOptions cluster)
    {
        (string Key, bool IsSet)[] keys =
        [
            ("broker.id", cluster.BrokerId != 0), ("broker.advertised_host", cluster.AdvertisedHost.Length > 0), ("etcd.endpoints", cluster.Endpoints.Count > 0),
            ("etcd.prefix", cluster.Prefix.Length > 0), ("etcd.ca_file", cluster.CaFile.Length > 0), ("etcd.certificate_file", cluster.CertificateFile.Length > 0),
            ("etcd.key_file", cluster.KeyFile.Length > 0), ("etcd.user", cluster.User.Length > 0), ("etcd.password_file", cluster.PasswordFile.Length > 0),
            ("etcd.compaction", cluster.Compaction is not null),
        ];
        return Array.Find(keys, k => k.IsSet).Key;
    }
}
