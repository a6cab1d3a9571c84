using Danube.Fast.LoadManager;
using Danube.Fast.Metadata;
using Danube.Fast.Server.Load;

namespace Danube.Fast.Server;

/// <summary>The load manager's parts.</summary>
public sealed partial class BrokerHost
{
    // A broker that is no part of a cluster has no number of its own.
    private const int NumberAlone = 1;

    private LoadService MakeLoadService(BrokerOptions options)
    {
        IClusterSource source = _cluster is { } node
            ? new BrokerCluster(node, options.Cluster.Endpoints)
            : new SingleBroker(NumberAlone, _state, _topics, () => (NativeEndPoint.ToString(), HttpEndPoint.ToString()), MetadataBytes, TimeProvider.System);
        ClusterLoad load = _cluster?.Load ?? new ClusterLoad(options.LoadManager, TimeProvider.System);
        var figures = new ResourceMonitorFigures();
        IResourceMonitor monitor = ResourceMonitors.Create(new MonitorEnvironment
        {
            Scope = options.LoadManager.Scope,
            DataFolder = _data.RootPath,
            OwnNetwork = OwnNetwork,
            Figures = figures,
        });
        return new LoadService(options.LoadManager, load, source, new TopicSampler(_topics, onlyOpen: _cluster is not null, TimeProvider.System), monitor, figures, TimeProvider.System, _logs.LoadManager);
    }

    private long? MetadataBytes()
    {
        var file = new FileInfo(Path.Combine(_data.RootPath, MetadataFolder, EmbeddedMetadataStore.FileName));
        return file.Exists ? file.Length : null;
    }

    private NetworkTotals OwnNetwork()
    {
        (long received, long sent, _) = _sessions.Bytes();
        return new NetworkTotals(received, sent);
    }

    /// <summary>What the broker knows of load.</summary>
    internal LoadService Load => _load;
}
