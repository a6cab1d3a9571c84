using System.Net;
using Danube.Fast.Core;
using Danube.Fast.Metadata;
using Danube.Fast.Server.Cluster;
using Danube.Fast.Server.Configuration;
using Danube.Fast.Server.Http;
using Danube.Fast.Server.Load;
using Danube.Fast.Server.Metrics;
using Danube.Fast.Server.Sessions;
using Danube.Fast.Server.Telemetry;
using Danube.Fast.Server.Topics;
using Danube.Fast.Server.Transport;
using Danube.Fast.Wal;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Danube.Fast.Server;

/// <summary>
/// A whole broker in this process: the composition root. Disposing it drains (see <see cref="DrainAsync"/>) and frees everything.
/// </summary>
public sealed partial class BrokerHost : IAsyncDisposable
{
    private readonly BrokerOptions _options;
    private readonly LogCategories _logs;
    private readonly ILogger _log;
    private readonly BrokerState _state;
    private readonly DataDirectory _data;
    private readonly IMetadataStore? _metadata;
    private readonly ClusterNode? _cluster;
    private readonly TopicRegistry _topics;
    private readonly BrokerHealth _health;
    private readonly SessionTable _sessions;
    private readonly Listener _listener;
    private readonly Housekeeping _housekeeping;
    private readonly LoadService _load;
    private readonly MetadataFigures _metadataFigures;
    private readonly MeterMirror _mirror;
    private readonly CancellationTokenSource _stopping = new();
    private readonly long _startedMs = Environment.TickCount64;
    private HttpEndpoint? _http;
    private OtlpExport? _otlp;
    private Task? _drain;

    private BrokerHost(BrokerOptions options, DataDirectory data, IMetadataStore? metadata, ClusterNode? cluster, Listener listener, LogCategories logs)
    {
        _options = options;
        _logs = logs;
        _log = logs.Broker;
        _data = data;
        _metadata = metadata;
        _cluster = cluster;
        _listener = listener;
        Name = options.BrokerName.Length > 0 ? options.BrokerName : Environment.MachineName;
        _state = new BrokerState();
        Requests = new RequestCounters();
        _metadataFigures = cluster?.StoreFigures ?? new MetadataFigures();
        _topics = new TopicRegistry(
            metadata is null ? null : new TopicCatalog(new MeasuredStore(metadata, _metadataFigures)), cluster, data, new MemoryLogStore(), options, _state, Requests, TimeProvider.System, logs.Topics);
        ServeTopics(cluster);
        _health = new BrokerHealth(_state, data, _topics, cluster, () => _load?.StoreNote);
        _sessions = new SessionTable(new SessionServices(options, Name, _state, _topics, Requests, new ClientDirectory(), logs.Connections) { Sessions = () => _sessions!, BrokerId = cluster?.Broker, IsPeer = cluster is null ? null : cluster.IsPeer });
        _load = MakeLoadService(options);
        RegisterMetrics();
        _mirror = new MeterMirror(Metrics, Name);
        _housekeeping = new Housekeeping(_topics, _sessions, logs.Topics);
    }

    /// <summary>Name of this broker.</summary>
    public string Name { get; }

    /// <summary>Absolute path of the data directory.</summary>
    public string DataDirectory => _data.RootPath;

    /// <summary>Where clients connect.</summary>
    public IPEndPoint NativeEndPoint => _listener.EndPoint;

    /// <summary>Where metrics, health and admin API are.</summary>
    public IPEndPoint HttpEndPoint => _http!.EndPoint;

    /// <summary>All metric families of this broker; parts that come with other folders register theirs here.</summary>
    internal MetricRegistry Metrics { get; } = new();

    internal RequestCounters Requests { get; }

    internal SessionTable Sessions => _sessions;

    internal TopicRegistry Topics => _topics;

    /// <summary>Opens data and metadata, then listens. When it returns, clients can connect.</summary>
    /// <exception cref="ConfigException">The options contradict each other.</exception>
    /// <exception cref="BrokerStartException">A port or the data directory cannot be had; the message says what to do.</exception>
    public static async Task<BrokerHost> StartAsync(BrokerOptions options, ILoggerFactory? logs = null, CancellationToken cancellationToken = default)
    {
        ConfigLoader.Check(options);
        var categories = new LogCategories(logs ?? NullLoggerFactory.Instance);
        var opened = new Stack<IAsyncDisposable>();
        try
        {
            if (!options.Wal.Files.DirectoryExists(options.DataDirectory))
            {
                // A start that cannot listen leaves no folder behind. Where one is, whoever runs on it is told first.
                CheckPorts(options);
            }

            // The lock comes first: two brokers on one folder must not even look at the metadata.
            var events = new WalEventLog(categories.Storage);
            DataDirectory data = OpenData(options, events);
            opened.Push(new Disposer(data));
            CheckKindOfFolder(options, data);
            EmbeddedMetadataStore? metadata = options.MetaStore == MetaStore.Embedded ? OpenMetadata(data, opened, categories) : null;
            Listener listener = BindNative(options, categories.Connections);
            opened.Push(new Disposer(listener));
            ClusterNode? cluster = CreateNode(options, data, categories);
            var host = new BrokerHost(options, data, metadata, cluster, listener, categories);
            events.NameOf = host._health.NameOf;

            // Health can be asked for while a cluster is waited for.
            await host.StartHttpAsync(cancellationToken);
            opened.Push(host._http!);
            if (cluster is not null)
            {
                opened.Push(cluster);
            }

            await host.JoinAsync(cancellationToken);
            host.Begin();
            return host;
        }
        catch (Exception e)
        {
            while (opened.TryPop(out IAsyncDisposable? part))
            {
                await part.DisposeAsync();
            }

            if (e is ForeignBrokerException or ForeignClusterException or DuplicateBrokerException)
            {
                throw new BrokerStartException(e.Message, e);
            }

            if (e is IOException or InvalidDataException or UnauthorizedAccessException)
            {
                throw new BrokerStartException($"The data directory {Path.GetFullPath(options.DataDirectory)} cannot be used: {e.Message}{AdviceOn(e)}", e);
            }

            throw;
        }
    }

    /// <summary>Drains, then frees everything.</summary>
    public async ValueTask DisposeAsync()
    {
        await DrainAsync("the host is disposed");
        _stopping.Dispose();
    }

    private static string AdviceOn(Exception error) => error switch
    {
        DiskFullException => " Free a little space on its volume and start again.",
        UnauthorizedAccessException => " The user that the broker runs as must be able to read and write all files in it (chown -R).",
        _ => "",
    };

    private static EmbeddedMetadataStore OpenMetadata(DataDirectory data, Stack<IAsyncDisposable> opened, LogCategories logs)
    {
        EmbeddedMetadataStore metadata = EmbeddedMetadataStore.Open(Path.Combine(data.RootPath, MetadataFolder));
        opened.Push(metadata);
        if (metadata.DamagedBytes > 0)
        {
            Log.MetadataDamaged(logs.Storage, metadata.DamagedBytes, data.RootPath);
        }
        else if (metadata.TornBytes > 0)
        {
            Log.MetadataTorn(logs.Storage, metadata.TornBytes, data.RootPath);
        }

        return metadata;
    }

    private static DataDirectory OpenData(BrokerOptions options, WalEventLog events) => Wal.DataDirectory.Open(
        options.DataDirectory,
        new WalOptions
        {
            AppendMode = options.Wal.MappedAppend ? AppendMode.Mapped : AppendMode.Pwrite,
            SegmentBytes = options.Wal.SegmentBytes,
            JournalBytes = options.Wal.JournalBytes,
            JournalThresholdBytes = options.Wal.JournalThresholdBytes,
            LowSpaceBytes = options.Wal.LowSpaceBytes,
            ColdReadPercent = options.Wal.ColdReadPercent,
            FileSystem = options.Wal.Files,
            MeasureLatency = options.Metrics.Latency,
            OnEvent = events.Write,
        });

    private void Begin()
    {
        foreach ((string what, IPAddress address) in new[] { ("The native protocol", _options.ListenAddress), ("The HTTP port", _options.HttpAddress) })
        {
            if (!IPAddress.IsLoopback(address))
            {
                Log.NotLoopback(_log, what, address);
            }
        }

        _otlp = OtlpExport.Start(_options.Otlp, Metrics, _options.Metrics.MaxTopics, Name, _logs.Telemetry);
        _housekeeping.Start(_stopping.Token);
        _load.Start();
        _listener.Start(_sessions.OnAccepted);
        Log.Ready(_log, Name, NativeEndPoint, HttpEndPoint, DataDirectory);
    }

    private void RegisterMetrics()
    {
        ProcessMetrics.Register(Metrics, Name, _cluster?.Broker ?? NumberAlone, _state, _topics, _data);
        ConnectionMetrics.Register(Metrics, _sessions);
        var topics = new TopicMetrics(Metrics, _topics, Requests, _options.Metrics.MaxTopics);
        RequestMetrics.Register(Metrics, Requests, _data.Counters, topics);
        _ = new WalMetrics(Metrics, _data);
        ClusterMetrics.Register(Metrics, _load);
        _metadataFigures.Register(Metrics, _load);
    }

    private BrokersReply Brokers() => new(
    [
        new BrokerReply(
            Name,
            _state.IsDraining ? "draining" : "ready",
            NativeEndPoint.ToString(),
            HttpEndPoint.ToString(),
            DataDirectory,
            typeof(BrokerHost).Assembly.GetName().Version?.ToString(3) ?? "",
            Environment.ProcessId,
            (Environment.TickCount64 - _startedMs) / 1000,
            _topics.ServedCount,
            _sessions.Count),
    ]);

    /// <summary>Lets a plain disposable wait in the same stack as the others.</summary>
    private sealed class Disposer(IDisposable inner) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            inner.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
