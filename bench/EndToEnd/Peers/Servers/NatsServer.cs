using Danube.Fast.Bench.Peers.Workers;
using Danube.Fast.Harness;

namespace Danube.Fast.Bench.Peers.Servers;

/// <summary>nats-server with JetStream in a file store.</summary>
internal sealed class NatsServer : PeerServer
{
    /// <param name="packages">Where nats-server was unpacked.</param>
    /// <param name="syncsAlways"><c>sync_interval: always</c> instead of the default of two minutes.</param>
    /// <param name="dataParent">Folder for the data; null = the system's temporary folder.</param>
    public NatsServer(PeerPackages packages, bool syncsAlways, string? dataParent)
        : base(dataParent)
    {
        Port = BrokerOptions.FreePort();
        string configuration = PathOf("nats.conf");

        // The bench's clients answer PING, but a server that was stopped for a while must not take their silence for death.
        File.WriteAllText(configuration, $$"""
            listen: "127.0.0.1:{{Port}}"
            ping_interval: "1h"
            jetstream {
              store_dir: "{{PathOf("data")}}"
              max_mem: 1GB
              max_file: 100GB
              {{(syncsAlways ? "sync_interval: always" : "")}}
            }
            """);
        Start("nats", [packages.Find("nats-server"), "-c", configuration], packages.Environment);
        WaitUntil(() =>
        {
            using var connection = new NatsConnection(Port);
            _ = connection.Request("INFO", "");
            Version = "nats-server " + packages.Version;
            return true;
        });
    }

    public override void Create(string stream)
    {
        using var connection = new NatsConnection(Port);
        connection.Request(
            "STREAM.CREATE." + stream,
            $"{{\"name\":\"{stream}\",\"subjects\":[\"{stream}\"],\"storage\":\"file\",\"retention\":\"limits\",\"num_replicas\":1{(HasFastIngest ? ",\"allow_batched\":true" : "")}}}");
    }

    /// <summary>True when the server is new enough for fast-ingest batches.</summary>
    public bool HasFastIngest => System.Version.TryParse(Version.Split(' ', '-', '+', '~')[^1], out Version? version) && version >= new Version(2, 14);

    public override long Count(string stream)
    {
        using var connection = new NatsConnection(Port);
        return (long)connection.Request("STREAM.INFO." + stream, "")["state"]!["messages"]!;
    }

    public override void Delete(string stream)
    {
        using var connection = new NatsConnection(Port);
        connection.Request("STREAM.DELETE." + stream, "");
    }
}
