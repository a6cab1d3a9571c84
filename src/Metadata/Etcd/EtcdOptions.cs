namespace Danube.Fast.Metadata;

/// <summary>Where an etcd cluster is and how this process speaks to it.</summary>
public sealed record EtcdOptions
{
    /// <summary>Addresses of the members' client ports, such as <c>http://127.0.0.1:2379</c>; all with http or all with https.</summary>
    public required IReadOnlyList<Uri> Endpoints { get; init; }

    /// <summary>What all keys of this cluster start with in etcd: '/', then at most 63 more bytes, no '/' at the end.</summary>
    public string Prefix { get; init; } = "/danube";

    /// <summary>PEM file of the authorities that may sign the servers' certificates; null: those of the machine.</summary>
    public string? CaFile { get; init; }

    /// <summary>PEM file of this client's certificate; null: none is shown.</summary>
    public string? CertificateFile { get; init; }

    /// <summary>PEM file of the key of <see cref="CertificateFile"/>.</summary>
    public string? KeyFile { get; init; }

    /// <summary>User of etcd; null: requests carry no user.</summary>
    public string? User { get; init; }

    /// <summary>Password of <see cref="User"/>. Comes from a file or the environment, never from the command line.</summary>
    public string? Password { get; init; }

    /// <summary>How long one attempt of a read or a lease call waits for its answer before the next endpoint is tried.</summary>
    public TimeSpan AttemptTimeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How long reads and lease calls are tried in all.</summary>
    public TimeSpan RetryTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long a transaction waits for its answer before its outcome is unknown.</summary>
    public TimeSpan TransactionTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a silent connection is trusted before it is probed; etcd wants at least 5 s. A probe waits half of this for its answer.</summary>
    public TimeSpan ProbeInterval { get; init; } = TimeSpan.FromSeconds(6);

    /// <exception cref="ArgumentException">A value cannot be used; the text says which and why.</exception>
    internal void Check()
    {
        if (Endpoints.Count == 0)
        {
            throw new ArgumentException("At least one endpoint of etcd is needed.");
        }

        foreach (Uri endpoint in Endpoints)
        {
            if (!endpoint.IsAbsoluteUri || (endpoint.Scheme != Uri.UriSchemeHttp && endpoint.Scheme != Uri.UriSchemeHttps))
            {
                throw new ArgumentException($"'{endpoint}' is no endpoint of etcd, it must look like http://host:2379.");
            }
        }

        if (Prefix.Length is < 2 or > 64 || Prefix[0] != '/' || Prefix[^1] == '/' || Prefix.Any(c => c is <= ' ' or > '~'))
        {
            throw new ArgumentException($"'{Prefix}' is no prefix: '/', then 1 to 63 visible ASCII characters, no '/' at the end.");
        }

        if ((CertificateFile is null) != (KeyFile is null))
        {
            throw new ArgumentException("A client certificate needs its key file, and a key file its certificate.");
        }

        if (User is not null && Password is null)
        {
            throw new ArgumentException($"The user '{User}' of etcd needs a password.");
        }
    }
}
