using Danube.Fast.Metadata;

namespace Danube.Fast.Server.Cluster;

/// <summary>Opens connections to the metadata store of a cluster, as it is configured.</summary>
internal static class ClusterStores
{
    private const string DefaultPrefix = "/danube";

    /// <summary>A connection of its own; it connects when it is first used.</summary>
    /// <exception cref="ArgumentException">An option cannot be used.</exception>
    /// <exception cref="IOException">A file that the options name cannot be read.</exception>
    public static IMetadataStore Open(ClusterOptions options) => options.OpenStore?.Invoke() ?? new EtcdMetadataStore(ToEtcd(options));

    /// <summary>Where the store is, for people.</summary>
    public static string Name(ClusterOptions options) => options.OpenStore is not null ? "of a test" : "etcd at " + string.Join(", ", options.Endpoints.Select(e => e.Authority));

    private static EtcdOptions ToEtcd(ClusterOptions options) => new()
    {
        Endpoints = options.Endpoints,
        Prefix = options.Prefix.Length > 0 ? options.Prefix : DefaultPrefix,
        CaFile = NullIfEmpty(options.CaFile),
        CertificateFile = NullIfEmpty(options.CertificateFile),
        KeyFile = NullIfEmpty(options.KeyFile),
        User = NullIfEmpty(options.User),
        Password = options.PasswordFile.Length > 0 ? File.ReadAllText(options.PasswordFile).TrimEnd('\r', '\n') : null,
    };

    private static string? NullIfEmpty(string text) => text.Length > 0 ? text : null;
}
