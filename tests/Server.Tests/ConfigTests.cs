using System.Collections;
using System.Net;
using System.Text;
using Danube.Fast.Core;
using Danube.Fast.Server.Configuration;
using Microsoft.Extensions.Logging;

namespace Danube.Fast.Server.Tests;

public sealed class ConfigTests
{
    private const string Indicators = "-?:,[]{}#&*!|>'\"%@`\n\t ~";

    private static readonly Hashtable NoVariables = [];

    [Fact]
    public void Without_any_configuration_the_defaults_hold()
    {
        BrokerOptions options = ConfigLoader.Load(null, NoVariables, []);
        Assert.Equal(new BrokerOptions(), options);
        Assert.Equal((6650, 9040, "./danube-data"), (options.Port, options.HttpPort, options.DataDirectory));
        Assert.Equal((IPAddress.Loopback, IPAddress.Loopback), (options.ListenAddress, options.HttpAddress));
    }

    [Fact]
    public void Flags_beat_variables_beat_the_file()
    {
        using var folder = new TempFolder();
        string file = Path.Combine(folder.Path, "b.yml");
        File.WriteAllText(file, "listen:\n  port: 1\n  address: 0.0.0.0\nhttp:\n  port: 11\nbroker_name: yaml\n");
        var variables = new Hashtable { ["DANUBE__LISTEN__PORT"] = "2", ["DANUBE__HTTP__PORT"] = "12", ["OTHER"] = "x", ["DANUBE_HOME"] = "y" };
        BrokerOptions options = ConfigLoader.Load(file, variables, [("--port", "listen.port", "3")]);
        Assert.Equal((3, 12, "yaml"), (options.Port, options.HttpPort, options.BrokerName));
        Assert.Equal(IPAddress.Any, options.ListenAddress);
    }

    [Theory]
    [InlineData("listen:\n  prot: 5\n", "b.yml:2: unknown key 'listen.prot'. Did you mean 'listen.port'?")]
    [InlineData("lisen:\n  port: 5\n", "b.yml:1: unknown key 'lisen'.")]
    [InlineData("listen:\n  port:\n    - 5\n", "'listen.port' takes a single value")]
    [InlineData("listen: 5\n", "'listen' must hold 'key: value' lines")]
    [InlineData("listen:\n  port: 70000\n", "b.yml:2: 'listen.port' is '70000', but it must be a whole number from 0 to 65535.")]
    [InlineData("listen:\n  port: 1\n  port: 2\n", "not valid YAML")]
    [InlineData("listen: {port: 1\n", "not valid YAML")]
    [InlineData("- a\n", "the file must hold 'key: value' lines")]
    [InlineData("meta_store: zookeeper\n", "must be one of embedded, etcd")]
    [InlineData("meta_store: etcd\nbroker:\n  id: 0\n", "whole number from 1")]
    [InlineData("meta_store: etcd\nbroker:\n  id: 1\netcd:\n  endpoints: 127.0.0.1:2379\n", "must be an address like http")]
    [InlineData("meta_store: etcd\nbroker:\n  id: 1\netcd:\n  endpoints: http://a:1,https://b:1\n", "either http:// or https:// everywhere")]
    [InlineData("broker:\n  advertised_host: a:b\n", "without a port")]
    [InlineData("a: 1\n---\nb: 2\n", "holds 2 YAML documents")]
    [InlineData("listen:\n  address: here\n", "must be an IP address")]
    [InlineData("topics:\n  durability: object\n", "must be one of fsync, os, memory")]
    [InlineData("topics:\n  auto_create: perhaps\n", "must be true or false")]
    [InlineData("otlp:\n  endpoint: collector:4317\n", "must be an address like http://127.0.0.1:4317")]
    [InlineData("etcd:\n  endpoints: etcd-1:2379\n", "must be an address like http://127.0.0.1:2379")]
    [InlineData("otlp:\n  temporality: both\n", "must be one of cumulative, delta")]
    [InlineData("otlp:\n  trace_ratio: 1.5\n", "must be a number from 0 to 1")]
    [InlineData("log_levels:\n  storage: loud\n", "must be one of trace, debug")]
    [InlineData("limits:\n  max_frame_bytes: 1KiB\n", "must be a number of bytes from 65536 to 67108864")]
    public void Mistakes_in_the_file_are_named_with_their_place(string yaml, string message)
    {
        ConfigException e = Assert.Throws<ConfigException>(() => YamlConfig.ApplyText(new BrokerOptions(), yaml, "b.yml"));
        Assert.Contains(message, e.Message);
    }

    [Theory]
    [InlineData("meta_store: etcd\n", "'broker.id' is missing")]
    [InlineData("meta_store: etcd\nbroker:\n  id: 1\n", "'etcd.endpoints' is missing")]
    [InlineData("broker:\n  id: 1\n", "'broker.id' is set, but 'meta_store' is embedded")]
    [InlineData("etcd:\n  prefix: /a\n", "'etcd.prefix' is set, but 'meta_store' is embedded")]
    [InlineData("meta_store: etcd\nbroker:\n  id: 1\netcd:\n  endpoints: http://a:1\n  user: u\n", "'etcd.password_file' belong together")]
    [InlineData("meta_store: etcd\nbroker:\n  id: 1\netcd:\n  endpoints: http://a:1\n  key_file: k\n", "'etcd.key_file' belong together")]
    [InlineData("meta_store: etcd\nlisten:\n  address: 0.0.0.0\nbroker:\n  id: 1\netcd:\n  endpoints: http://a:1\n", "'broker.advertised_host' is missing")]
    [InlineData("meta_store: etcd\nlisten:\n  address: 0.0.0.0\nbroker:\n  id: 1\n  advertised_host: b1\netcd:\n  endpoints: http://a:1\n", "'http.address' is 127.0.0.1, but others reach this broker at b1")]
    [InlineData("meta_store: etcd\nlisten:\n  address: 10.0.0.1\nbroker:\n  id: 1\netcd:\n  endpoints: http://a:1\n", "'http.address' is 127.0.0.1, but others reach this broker at 10.0.0.1")]
    public void Keys_of_a_cluster_that_do_not_fit_together_are_refused(string yaml, string message)
    {
        BrokerOptions options = YamlConfig.ApplyText(new BrokerOptions(), yaml, "b.yml");
        Assert.Contains(message, Assert.Throws<ConfigException>(() => ConfigLoader.Check(options)).Message);
    }

    [Fact]
    public void A_cluster_needs_an_id_and_endpoints()
    {
        BrokerOptions options = YamlConfig.ApplyText(
            new BrokerOptions(), "meta_store: etcd\nbroker: { id: 7, advertised_host: b7 }\nhttp: { address: 0.0.0.0 }\netcd: { endpoints: \"http://a:2379, http://b:2379\", prefix: /x, compaction: off }\n", "b.yml");
        ConfigLoader.Check(options);
        ConfigLoader.Check(options with { HttpAddress = IPAddress.Loopback, Cluster = options.Cluster with { AdvertisedHost = "localhost" } });
        Assert.Equal((7, "b7", "/x", false), (options.Cluster.BrokerId, options.Cluster.AdvertisedHost, options.Cluster.Prefix, options.Cluster.Compaction));
        Assert.Equal(["http://a:2379/", "http://b:2379/"], options.Cluster.Endpoints.Select(e => e.ToString()));
    }

    [Theory]
    [InlineData("DANUBE__LISTEN__PROT", "5", "DANUBE__LISTEN__PROT names no configuration key. Did you mean DANUBE__LISTEN__PORT?")]
    [InlineData("DANUBE__NONSENSE", "5", "DANUBE__NONSENSE names no configuration key")]
    [InlineData("DANUBE__LISTEN__PORT", "many", "DANUBE__LISTEN__PORT is 'many', but it must be a whole number")]
    public void Mistakes_in_the_environment_are_named(string name, string value, string message)
    {
        ConfigException e = Assert.Throws<ConfigException>(() => ConfigLoader.Load(null, new Hashtable { [name] = value }, []));
        Assert.Contains(message, e.Message);
    }

    [Fact]
    public void Mistakes_in_flags_and_between_keys_are_named()
    {
        Assert.Contains("--port is 'x'", Assert.Throws<ConfigException>(() => ConfigLoader.Load(null, NoVariables, [("--port", "listen.port", "x")])).Message);
        Assert.Contains("both 5", Assert.Throws<ConfigException>(() => ConfigLoader.Load(null, NoVariables, [("--port", "listen.port", "5"), ("--http-port", "http.port", "5")])).Message);
        var variables = new Hashtable { ["DANUBE__TIMEOUTS__DEAD_AFTER_MS"] = "500" };
        Assert.Contains("timeouts.dead_after_ms", Assert.Throws<ConfigException>(() => ConfigLoader.Load(null, variables, [])).Message);
        Assert.Contains("cannot be read", Assert.Throws<ConfigException>(() => ConfigLoader.Load("/no/such/file.yml", NoVariables, [])).Message);
    }

    [Theory]
    [InlineData("hush")]
    [InlineData("a=,hush=1")]
    [InlineData("a b=hush")]
    public void A_header_that_is_wrong_is_not_repeated(string value)
    {
        ConfigException e = Assert.Throws<ConfigException>(() => ConfigLoader.Load(null, new Hashtable { ["DANUBE__OTLP__HEADERS"] = value }, []));
        Assert.Contains("'otlp.headers' must be name=value", e.Message);
        Assert.DoesNotContain("hush", e.Message);
    }

    [Fact]
    public void Values_are_read()
    {
        BrokerOptions options = YamlConfig.ApplyText(
            new BrokerOptions(),
            """
            topics: { durability: os, auto_create: off, retention_bytes: 2 GiB, retention_ms: 86_400_000 }
            wal: { append: mapped, segment_bytes: 1MiB, low_space_bytes: 0, journal_bytes: 64MiB, journal_threshold_bytes: 64KiB, cold_read_percent: 20 }
            log: { format: json, level: warning }
            limits:
            metrics: { max_topics: 7 }
            otlp: { endpoint: "http://127.0.0.1:4318", protocol: http/protobuf, headers: "a=b,c=d", metrics: off, temporality: delta, trace_ratio: 0.25 }
            log_levels: { storage: debug }
            """,
            "b.yml");
        Assert.Equal((DurabilityClass.Os, false, 2L << 30, 86_400_000L), (options.Topics.Durability, options.Topics.AutoCreate, options.Topics.Policy.RetentionBytes!.Value, options.Topics.Policy.RetentionMs!.Value));
        Assert.Equal((true, 1 << 20, 0L), (options.Wal.MappedAppend, options.Wal.SegmentBytes, options.Wal.LowSpaceBytes));
        Assert.Equal((64L << 20, 64 << 10, 20), (options.Wal.JournalBytes, options.Wal.JournalThresholdBytes, options.Wal.ColdReadPercent));
        Assert.Equal(new OtlpOptions { Endpoint = new Uri("http://127.0.0.1:4318"), Http = true, Headers = "a=b,c=d", Metrics = false, Deltas = true, TraceRatio = 0.25 }, options.Otlp);
        Assert.Equal(new LogLevels { Storage = LogLevel.Debug }, options.Log.Levels);
        Assert.Equal((true, LogLevel.Warning, 7), (options.Log.Json, options.Log.Level, options.Metrics.MaxTopics));
    }

    [Fact]
    public void No_mutated_file_ends_in_anything_but_options_or_a_sentence()
    {
        byte[] sample = Encoding.UTF8.GetBytes(
            """
            broker_name: "b\u00e4r"
            listen: { address: 0.0.0.0, port: 6_650 }
            topics: &policy
              durability: os # text
              retention_bytes: 2 GiB
            limits:
              max_topics: 10
              ? max_connections
              : 7
            log: {format: json, level: 'warning'}
            """);
        var random = new Random(20_261_121);
        int accepted = 0;
        for (int i = 0; i < 20_000; i++)
        {
            byte[] mutant = Mutate(sample, random);
            try
            {
                YamlConfig.ApplyText(new BrokerOptions(), Encoding.UTF8.GetString(mutant), "b.yml");
                accepted++;
            }
            catch (ConfigException e)
            {
                Assert.StartsWith("b.yml:", e.Message);
            }
        }

        Assert.InRange(accepted, 1, 19_999);
    }

    // One to four places changed: a byte replaced, a piece cut out, a piece said twice, an indicator put in.
    private static byte[] Mutate(byte[] sample, Random random)
    {
        List<byte> bytes = [.. sample];
        for (int changes = random.Next(1, 5); changes > 0; changes--)
        {
            int at = random.Next(bytes.Count);
            int length = random.Next(1, Math.Min(12, bytes.Count - at) + 1);
            switch (random.Next(4))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1 when bytes.Count > length:
                    bytes.RemoveRange(at, length);
                    break;
                case 2:
                    bytes.InsertRange(at, bytes.GetRange(at, length));
                    break;
                default:
                    bytes.Insert(at, (byte)Indicators[random.Next(Indicators.Length)]);
                    break;
            }
        }

        return [.. bytes];
    }

    [Fact]
    public void The_example_file_shows_every_key_with_its_default()
    {
        string file = Path.Combine(AppContext.BaseDirectory, "danube_broker.yml");
        string text = File.ReadAllText(file);
        Assert.Equal(new BrokerOptions(), YamlConfig.ApplyText(new BrokerOptions(), text, file));

        // With the comments of its keys taken away the file sets every key, to the default.
        string active = string.Join('\n', text.Split('\n').Select(Activate));
        var seen = new List<string>();
        BrokerOptions options = YamlConfig.ApplyText(new BrokerOptions { Port = 1, HttpPort = 1, DataDirectory = "x", Limits = new LimitOptions { MaxTopics = 1 } }, active, file);
        Assert.Equal(new BrokerOptions(), options);
        foreach (ConfigKey key in ConfigSchema.Keys)
        {
            string last = key.Path[(key.Path.LastIndexOf('.') + 1)..];
            Assert.Contains($"{last}: ", active);
            seen.Add(last);
        }

        Assert.Equal(ConfigSchema.Keys.Count, active.Split('\n').Count(l => l.TrimStart() is [not '#', ..] line && line.Contains(": ", StringComparison.Ordinal)));
    }

    // "  # port: 6650" is a key that is commented out; "  ## text" explains.
    private static string Activate(string line)
    {
        string trimmed = line.TrimStart();
        return trimmed.StartsWith("# ", StringComparison.Ordinal) ? line[..^trimmed.Length] + trimmed[2..] : line;
    }
}
