using Danube.Fast.Metadata;

namespace Danube.Fast.Server;

/// <summary>Where topics and subscriptions are recorded.</summary>
public enum MetaStore
{
    /// <summary>In the data directory: one broker by itself.</summary>
    Embedded,

    /// <summary>In etcd: several brokers share the topics.</summary>
    Etcd,
}

/// <summary>This broker's place in a cluster. Nothing of it may be set with <see cref="MetaStore.Embedded"/>.</summary>
public sealed record ClusterOptions
{
    /// <summary>Id of this broker in the cluster, from 1; 0 = not set. The data directory remembers it.</summary>
    public int BrokerId { get; init; }

    /// <summary>Name or address under which clients and other brokers reach this broker; empty = the address that it listens on.</summary>
    public string AdvertisedHost { get; init; } = "";

    /// <summary>Addresses of etcd's client ports.</summary>
    public IReadOnlyList<Uri> Endpoints { get; init; } = [];

    /// <summary>What all keys of this cluster start with in etcd; empty = /danube.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>PEM file of the authorities that sign etcd's certificates; empty = those of the machine.</summary>
    public string CaFile { get; init; } = "";

    /// <summary>PEM file of this broker's certificate; empty = none is shown.</summary>
    public string CertificateFile { get; init; } = "";

    /// <summary>PEM file of the key of <see cref="CertificateFile"/>.</summary>
    public string KeyFile { get; init; } = "";

    /// <summary>User of etcd; empty = none.</summary>
    public string User { get; init; } = "";

    /// <summary>File with the password of <see cref="User"/>.</summary>
    public string PasswordFile { get; init; } = "";

    /// <summary>Whether the leader lets etcd forget what is older than 10 minutes; null = yes.</summary>
    public bool? Compaction { get; init; }

    /// <summary>Opens a connection to the store. No key sets it: a test that hosts brokers hands in a store of its own.</summary>
    public Func<IMetadataStore>? OpenStore { get; init; }

    /// <summary>Measures leases, proofs and absences; null = a clock that counts suspend. No key sets it.</summary>
    public TimeProvider? Clock { get; init; }

    /// <summary>How long a creation or deletion of a topic waits for the cluster to follow before it answers with what is missing. No key sets it.</summary>
    public TimeSpan FollowLimit { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Times of the view. No key sets it.</summary>
    public MetadataViewOptions View { get; init; } = new();
}
