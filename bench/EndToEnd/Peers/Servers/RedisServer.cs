using System.Diagnostics;
using System.Globalization;
using Danube.Fast.Bench.Peers.Workers;
using Danube.Fast.Bench.Reports;
using Danube.Fast.Harness;

namespace Danube.Fast.Bench.Peers.Servers;

/// <summary>redis-server with an append-only file and no snapshots; the file is never rewritten during a run, which spares it work.</summary>
internal sealed class RedisServer : PeerServer
{
    private const int FirstRequests = 20_000;

    private readonly PeerPackages _packages;
    private readonly string _setting;

    /// <param name="packages">Where redis-server was unpacked.</param>
    /// <param name="syncsAlways"><c>appendfsync always</c> instead of <c>everysec</c>.</param>
    /// <param name="dataParent">Folder for the data; null = the system's temporary folder.</param>
    public RedisServer(PeerPackages packages, bool syncsAlways, string? dataParent)
        : base(dataParent)
    {
        _packages = packages;
        _setting = $"appendfsync {(syncsAlways ? "always" : "everysec")}";
        Port = BrokerOptions.FreePort();
        string data = Directory.CreateDirectory(PathOf("data")).FullName;
        string[] settings =
        [
            "--bind", "127.0.0.1", "--port", Port.ToString(CultureInfo.InvariantCulture), "--dir", data, "--save", "", "--appendonly", "yes", "--appendfsync", syncsAlways ? "always" : "everysec",
            "--auto-aof-rewrite-percentage", "0", "--daemonize", "no", "--protected-mode", "no", "--set-proc-title", "no",
        ];
        Start("redis", [packages.Find("redis-server"), .. settings], packages.Environment);
        WaitUntil(() =>
        {
            using var connection = new RedisConnection(Port);
            connection.Command("PING");
            Version = "redis-server " + packages.Version;
            return true;
        });
    }

    // XADD makes it.
    public override void Create(string stream) => Delete(stream);

    /// <summary>The same XADD from redis-benchmark, with one connection and with 16: a line that says whether the bench's own client holds the server back.</summary>
    /// <param name="size">Payload bytes.</param>
    /// <param name="seconds">About how long each of the two takes.</param>
    public string CrossCheck(int size, double seconds)
    {
        Thaw();
        double rough = Benchmark(size, 1, FirstRequests);
        double[] rates = [.. new[] { 1, 16 }.Select(connections => Benchmark(size, connections, (int)Math.Max(FirstRequests, rough * seconds)))];
        Freeze();
        return $"redis-benchmark, {_setting}, {size:N0} B, -P 64: {Figures.Rate(rates[0])} with one connection, {Figures.Rate(rates[1])} with 16.";
    }

    public override long Count(string stream)
    {
        using var connection = new RedisConnection(Port);
        return connection.Command("XLEN", stream);
    }

    public override void Delete(string stream)
    {
        using var connection = new RedisConnection(Port);
        connection.Command("UNLINK", stream);
    }

    // "name of the test","requests per second",...
    private double Benchmark(int size, int connections, int requests)
    {
        const string Stream = "benchmark";
        string[] arguments = ["-h", "127.0.0.1", "-p", $"{Port}", "-c", $"{connections}", "-P", "64", "-n", $"{requests}", "--csv", "XADD", Stream, "*", "m", new string('x', size)];
        var start = new ProcessStartInfo(_packages.Find("redis-benchmark"), arguments) { RedirectStandardOutput = true };
        foreach ((string name, string value) in _packages.Environment)
        {
            start.Environment[name] = value;
        }

        using Process process = Process.Start(start)!;
        string last = process.StandardOutput.ReadToEnd().Trim().Split('\n')[^1];
        process.WaitForExit();
        Delete(Stream);
        return double.Parse(last.Split("\",\"")[1], CultureInfo.InvariantCulture);
    }
}
