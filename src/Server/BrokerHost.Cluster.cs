using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Danube.Fast.LoadManager;
using Danube.Fast.Metadata;
using Danube.Fast.Server.Cluster;
using Danube.Fast.Wal;

namespace Danube.Fast.Server;

/// <summary>What makes a broker a member of a cluster. Nothing of it exists with the embedded store.</summary>
public sealed partial class BrokerHost
{
    private const string MetadataFolder = "metadata";

    /// <summary>Ends when the broker must stop by itself, with the reason: another broker has taken its id.</summary>
    public Task<string> MustStop => _cluster?.MustLeave ?? Never;

    private static Task<string> Never { get; } = new TaskCompletionSource<string>().Task;

    /// <summary>This broker as a member of a cluster; null for a broker by itself.</summary>
    internal ClusterNode? Cluster => _cluster;

    // A folder keeps to one kind of store: topic ids of the other kind would find foreign bytes.
    private static void CheckKindOfFolder(BrokerOptions options, DataDirectory data)
    {
        bool wasAlone = options.Wal.Files.FileExists(Path.Combine(data.RootPath, MetadataFolder, EmbeddedMetadataStore.FileName));
        bool wasMember = options.Wal.Files.FileExists(Path.Combine(data.RootPath, ClusterIdentity.FileName));
        if (options.MetaStore == MetaStore.Etcd ? wasAlone : wasMember)
        {
            throw new BrokerStartException(
                $"The data directory {data.RootPath} was used with meta_store {(wasAlone ? "embedded" : "etcd")}: its topics cannot be taken over. Use another directory, or the former meta_store.",
                new InvalidDataException("meta_store"));
        }
    }

    private static ClusterNode? CreateNode(BrokerOptions options, DataDirectory data, LogCategories logs)
    {
        if (options.MetaStore == MetaStore.Embedded)
        {
            return null;
        }

        BrokerIdentity identity = BrokerIdentity.Bind(data.RootPath, options.Cluster.BrokerId, options.Wal.Files);
        var record = new MemberRecord
        {
            DataId = identity.DataId,
            BootId = identity.BootId,
            Version = typeof(BrokerHost).Assembly.GetName().Version?.ToString(3) ?? "",
            ConfigHash = HashOf(options),
            PeerKey = PeerIdentity.NewKey(),
        };
        try
        {
            return new ClusterNode(options.Cluster, data.RootPath, options.Wal.Files, record, options.LoadManager, logs.Broker);
        }
        catch (Exception e) when (e is ArgumentException or IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new BrokerStartException($"The connection to etcd cannot be set up: {e.Message}", e);
        }
    }

    // Before the view is opened: its first revision has everything.
    private void ServeTopics(ClusterNode? cluster)
    {
        if (cluster is not null)
        {
            // The catalogue listens first: the owner loop looks topics up there.
            cluster.View.Revised += _topics.Follow;
            cluster.AddLoop("catalogue", _topics.RunChoresAsync);
            var owner = new OwnerLoop(cluster.Store, cluster.View, cluster.Membership, _topics, cluster.Clock, _logs.Topics);
            cluster.Owner = owner;
            cluster.RequirementsOf = _topics.RequirementsOf;
            cluster.Room.MaxTopicsOf = _topics.MaxTopicsOf;
            _topics.Lookup = new TopicLookup(cluster.Broker, cluster.View, () => cluster.IsProven, TimeProvider.System) { FailureHere = owner.FailureOf };
            _topics.OnHigherEpoch = owner.Doubt;
        }
    }

    private async Task JoinAsync(CancellationToken cancellationToken)
    {
        if (_cluster is not { } cluster)
        {
            await _topics.LoadAsync(cancellationToken);
            return;
        }

        cluster.Record.Address = Advertised(_options.ListenAddress, NativeEndPoint.Port);
        cluster.Record.HttpAddress = Advertised(_options.HttpAddress, HttpEndPoint.Port);
        await cluster.StartAsync(cancellationToken);
    }

    private string Advertised(System.Net.IPAddress listen, int port)
    {
        string host = _options.Cluster.AdvertisedHost.Length > 0 ? _options.Cluster.AdvertisedHost : listen.ToString();
        return string.Create(CultureInfo.InvariantCulture, $"{(host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host)}:{port}");
    }

    // Of what should be the same everywhere: names, addresses, folders and the store's own files are each broker's own.
    private static string HashOf(BrokerOptions options)
    {
        BrokerOptions common = options with
        {
            BrokerName = "",
            ListenAddress = System.Net.IPAddress.Loopback,
            Port = 0,
            HttpAddress = System.Net.IPAddress.Loopback,
            HttpPort = 0,
            DataDirectory = "",
            Cluster = new ClusterOptions { Prefix = options.Cluster.Prefix },
            Log = new LogOutputOptions(),
            Otlp = new OtlpOptions(),
            Wal = options.Wal with { Files = WalFileSystem.Native },
            LoadManager = options.LoadManager with { Scope = default, Capacity = new CapacityOptions() },
        };
        IEnumerable<string> groups = options.LoadManager.PlacementRules.AffinityGroups.Select(g =>
            $"{g.Name}|{string.Join(',', g.Topics)}|{string.Join(',', g.PreferBrokers)}|{string.Join(',', g.AvoidBrokers)}");
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(common + string.Join(';', groups)))[..8]);
    }
}
