using System.Globalization;
using Danube.Fast.Bench.Peers.Wire;
using Danube.Fast.Bench.Peers.Workers;
using Danube.Fast.Harness;

namespace Danube.Fast.Bench.Peers.Servers;

/// <summary>rabbitmq-server with the stream plugin, and the port mapper it needs, on free ports.</summary>
internal sealed class RabbitServer : PeerServer
{
    private static readonly TimeSpan CountPatience = TimeSpan.FromSeconds(30);

    private readonly string _pidFile;
    private int _beam;

    /// <param name="packages">Where rabbitmq-server and Erlang were unpacked.</param>
    /// <param name="dataParent">Folder for the data; null = the system's temporary folder.</param>
    public RabbitServer(PeerPackages packages, string? dataParent)
        : base(dataParent)
    {
        Port = BrokerOptions.FreePort();
        int mapperPort = BrokerOptions.FreePort();
        _pidFile = PathOf("rabbitmq.pid");
        string home = Directory.CreateDirectory(PathOf("home")).FullName;
        File.WriteAllText(PathOf("rabbitmq.conf"), $"""
            listeners.tcp = none
            stream.listeners.tcp.1 = 127.0.0.1:{Port}
            disk_free_limit.absolute = 100MB
            log.file.level = warning
            """);
        File.WriteAllText(PathOf("enabled_plugins"), "[rabbitmq_stream].\n");
        File.WriteAllText(PathOf("rabbitmq-env.conf"), "");
        string erlang = packages.FindFolder("usr/lib/erlang");
        var environment = new Dictionary<string, string>(packages.Environment)
        {
            ["HOME"] = home,
            ["PATH"] = $"{WriteLauncher(packages, erlang)}:{erlang}/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            ["ERL_EPMD_PORT"] = mapperPort.ToString(CultureInfo.InvariantCulture),
            ["ERL_EPMD_ADDRESS"] = "127.0.0.1",
            ["RABBITMQ_CONF_ENV_FILE"] = PathOf("rabbitmq-env.conf"),
            ["RABBITMQ_CONFIG_FILE"] = PathOf("rabbitmq.conf"),
            ["RABBITMQ_ADVANCED_CONFIG_FILE"] = PathOf("advanced.config"),
            ["RABBITMQ_ENABLED_PLUGINS_FILE"] = PathOf("enabled_plugins"),
            ["RABBITMQ_MNESIA_BASE"] = PathOf("data"),
            ["RABBITMQ_LOG_BASE"] = PathOf("log"),
            ["RABBITMQ_PID_FILE"] = _pidFile,
            ["RABBITMQ_NODENAME"] = $"bench{Port}@localhost",
            ["RABBITMQ_DIST_PORT"] = BrokerOptions.FreePort().ToString(CultureInfo.InvariantCulture),
        };
        Start("epmd", [packages.FindBelow("usr/lib/erlang", "bin/epmd"), "-port", mapperPort.ToString(CultureInfo.InvariantCulture), "-address", "127.0.0.1"], environment);
        Start("rabbitmq", [packages.FindBelow("usr/lib/rabbitmq/lib", "sbin/rabbitmq-server")], environment);
        WaitUntil(() =>
        {
            using var connection = new StreamConnection(Port);
            Version = "rabbitmq-server " + packages.Version;
            return true;
        });
    }

    /// <summary>The Erlang machine; what was started is a script around it.</summary>
    public override int ProcessId => _beam > 0 ? _beam : _beam = int.Parse(File.ReadAllText(_pidFile), CultureInfo.InvariantCulture);

    public override bool CountsNotes => true;

    public override void Create(string stream)
    {
        using var connection = new StreamConnection(Port);
        connection.Request(StreamCommand.Create, o =>
        {
            StreamConnection.WriteString(o, stream);
            o.WriteUInt32(0);
        });
    }

    public override long Count(string stream) => StreamSubscriber.Count(Port, stream, CountPatience);

    public override void Delete(string stream)
    {
        using var connection = new StreamConnection(Port);
        connection.Request(StreamCommand.Delete, o => StreamConnection.WriteString(o, stream));
    }

    // Debian's own has the place of an installed Erlang written into it.
    private string WriteLauncher(PeerPackages packages, string erlang)
    {
        string folder = Directory.CreateDirectory(PathOf("bin")).FullName, launcher = Path.Combine(folder, "erl");
        string programs = Path.GetDirectoryName(packages.FindBelow("usr/lib/erlang", "bin/erlexec"))!;
        File.WriteAllText(launcher, $"#!/bin/sh\nexport ROOTDIR='{erlang}' BINDIR='{programs}' EMU=beam PROGNAME=erl\nexec '{programs}/erlexec' \"$@\"\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(launcher, UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.UserWrite);
        }

        return folder;
    }
}
