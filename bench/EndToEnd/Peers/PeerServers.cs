using Danube.Fast.Bench.Peers.Servers;
using Danube.Fast.Bench.Peers.Workers;
using Danube.Fast.Bench.Reports;

namespace Danube.Fast.Bench.Peers;

/// <summary>The running servers of the peers that were asked for, and the contenders they make.</summary>
internal sealed class PeerServers : IAsyncDisposable
{
    /// <summary>Names that <c>--peers</c> takes.</summary>
    public static readonly string[] Names = ["nats", "redis", "rabbitmq"];

    private const string OneCall = "its public .NET client, one call per message";
    private const string RawNats = "raw text protocol, window and one reply per message; pull consumer, every message acknowledged";
    private const string FastNats = "raw text protocol, fast-ingest batches: one acknowledgement for many messages";
    private const string RawRedis = "raw RESP on one connection, pipelined XADD; XREADGROUP and XACK of every message";
    private const string ManyRedis = "raw RESP on 16 connections, one batch to each in turn; no order between them";
    private const string RawStream = "raw stream protocol, one Publish frame per batch, confirms; offset stored every 10,000 messages";
    private const string PackedStream = "the same with sub-entries of up to 64 messages, stored and confirmed as one";

    private readonly List<PeerServer> _servers = [];
    private readonly List<Contender> _contenders;
    private readonly DanubeServer _danube;

    private PeerServers(DanubeServer danube)
    {
        _danube = danube;
        _contenders = [new("Danube.Fast", "os", OneCall, Danube: danube), new("Danube.Fast", "fsync", OneCall, Danube: danube)];
    }

    public IReadOnlyList<Contender> Contenders => _contenders;

    /// <summary>The Redis servers, for the look at the figures from another side.</summary>
    public IEnumerable<RedisServer> Redis => _servers.OfType<RedisServer>();

    /// <summary>Gets the packages and starts the servers.</summary>
    /// <exception cref="PeerUnavailableException">One cannot be had.</exception>
    public static async Task<PeerServers> StartAsync(IReadOnlyCollection<string> names, string cache, string? dataParent)
    {
        var result = new PeerServers(await DanubeServer.StartAsync(dataParent));
        var apt = new PeerApt(Path.Combine(cache, "apt"));
        try
        {
            foreach (string name in Names.Where(names.Contains))
            {
                LiveProgress.Show(name + ": packages");
                result.Start(name, apt, cache, dataParent);
            }
        }
        catch
        {
            await result.DisposeAsync();
            throw;
        }

        return result;
    }

    public async ValueTask DisposeAsync()
    {
        _servers.ForEach(s => s.Dispose());
        await _danube.DisposeAsync();
    }

    private void Start(string name, PeerApt apt, string cache, string? dataParent)
    {
        switch (name)
        {
            case "nats":
                // The newest one that runs here: a program with few needs.
                PeerPackages nats = PeerPackages.Prepare(apt, cache, "nats-server", "sid", "trixie", apt.OwnSuite);
                foreach (bool syncs in new[] { false, true })
                {
                    var server = new NatsServer(nats, syncs, dataParent);
                    string title = $"{server.Version}{(syncs ? ", sync_interval: always" : "")}", durability = syncs ? "fsync" : "os";
                    Add(server, new Contender(title, durability, RawNats, PeerKind.Nats, server));
                    if (server.HasFastIngest)
                    {
                        _contenders.Add(new Contender(title + ", fast ingest", durability, FastNats, PeerKind.NatsFast, server));
                    }
                }

                break;
            case "redis":
                PeerPackages redis = PeerPackages.Prepare(apt, cache, "redis-server");
                foreach (bool syncs in new[] { false, true })
                {
                    var server = new RedisServer(redis, syncs, dataParent);
                    string title = $"{server.Version}, appendfsync {(syncs ? "always" : "everysec")}", durability = syncs ? "fsync" : "os";
                    Add(server, new Contender(title, durability, RawRedis, PeerKind.Redis, server));
                    _contenders.Add(new Contender(title + ", 16 connections", durability, ManyRedis, PeerKind.RedisMany, server));
                }

                break;
            default:
                var rabbit = new RabbitServer(PeerPackages.Prepare(apt, cache, "rabbitmq-server"), dataParent);
                Add(rabbit, new Contender(rabbit.Version + " streams", "os", RawStream, PeerKind.RabbitMq, rabbit));
                _contenders.Add(new Contender(rabbit.Version + " streams, sub-entries", "os", PackedStream, PeerKind.RabbitMqPacked, rabbit));
                break;
        }
    }

    private void Add(PeerServer server, Contender contender)
    {
        _servers.Add(server);
        _contenders.Add(contender);
        server.Freeze();
    }
}
