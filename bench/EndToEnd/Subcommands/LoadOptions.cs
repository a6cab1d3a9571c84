using System.CommandLine;
using Danube.Fast.Bench.Runs;
using Danube.Fast.Client;
using Danube.Fast.Protocol;

namespace Danube.Fast.Bench.Subcommands;

/// <summary>The options of a load: what is given changes the setup it is applied to, what is left out does not.</summary>
internal sealed class LoadOptions
{
    private static readonly string[] Types = ["exclusive", "shared", "key_shared", "key-shared", "failover"];

    private readonly Option<long?> _size = Bytes("--size", "payload bytes");
    private readonly Option<long?> _batch = Bytes("--batch", "largest batch in bytes; 0 = the client's default, 64k");
    private readonly Option<long?> _window = Bytes("--window", "unacknowledged bytes per producer; 0 = the client's default, 8m");
    private readonly Option<string?> _durability = OneOf("--durability", "fsync, os or memory", "fsync", "os", "memory");
    private readonly Option<int?> _topics = Count("--topics", "number of topics"), _partitions = Count("--partitions", "partitions of each topic");
    private readonly Option<int?> _producers = Count("--producers", "producers of all topics together; default: one per topic"), _producerProcesses = Count("--producer-processes", "processes that share the producers");
    private readonly Option<int?> _consumers = Count("--consumers", "consumers of all topics together, 0 = publish only; default: one per subscription"), _consumerProcesses = Count("--consumer-processes", "processes that share the consumers");
    private readonly Option<int?> _connections = Count("--connections", "connections of each producer or consumer process");
    private readonly Option<int?> _subscriptions = Count("--subscriptions", "subscriptions of each topic: every message is delivered so many times");
    private readonly Option<string?> _type = OneOf("--type", "type of the subscriptions; default: exclusive, or shared where several consumers have one", Types);
    private readonly Option<int?> _keys = Count("--keys", "give messages one of so many keys, in turn");
    private readonly Option<double?> _random = new("--random-share") { Description = "share of a payload that is random, 0 to 1 (the rest is zeros): how compressible it is" };
    private readonly Option<int?> _pool = Count("--payloads", "different payloads that take turns");
    private readonly Option<string?> _file = new("--payload-file") { Description = "take the payload from the beginning of this file" };
    private readonly Option<string?> _compression = OneOf("--compression", "how the client packs batches: none, deflate or brotli", "none", "deflate", "brotli");
    private readonly Option<string?> _data = CommonOptions.Data();
    private readonly Option<string[]> _environment = CommonOptions.Environment();
    private readonly Option<string[]> _brokerEnvironment = new("--broker-env") { Description = "NAME=VALUE for the broker alone; may be repeated", DefaultValueFactory = _ => [] };

    public IEnumerable<Option> All =>
    [
        _size, _batch, _window, _topics, _partitions, _durability, _producers, _producerProcesses, _consumers, _consumerProcesses, _connections, _subscriptions, _type, _keys,
        _random, _pool, _file, _compression, _data, _environment, _brokerEnvironment,
    ];

    /// <summary>The options that a workload file decides.</summary>
    public IEnumerable<Option> OfWorkload => [_size, _topics, _partitions, _producers, _consumers, _subscriptions, _keys, _random, _pool, _file];

    public LoadSetup Apply(ParseResult parse, LoadSetup setup)
    {
        int topics = parse.GetValue(_topics) ?? setup.Topics, subscriptions = parse.GetValue(_subscriptions) ?? setup.Subscriptions;
        bool isShaped = topics != setup.Topics || subscriptions != setup.Subscriptions;
        int consumers = setup.Consumers == 0 ? 0 : isShaped ? Math.Max(topics * subscriptions, setup.Consumers) : setup.Consumers;
        return setup with
        {
            SizeBytes = (int)Math.Min(int.MaxValue, parse.GetValue(_size) ?? setup.SizeBytes),
            BatchBytes = (int)Math.Min(int.MaxValue, parse.GetValue(_batch) ?? setup.BatchBytes),
            WindowBytes = parse.GetValue(_window) ?? setup.WindowBytes,
            Durability = parse.GetValue(_durability) ?? setup.Durability,
            Topics = topics,
            Partitions = parse.GetValue(_partitions) ?? setup.Partitions,
            Producers = parse.GetValue(_producers) ?? (isShaped ? Math.Max(topics, setup.Producers) : setup.Producers),
            ProducerProcesses = parse.GetValue(_producerProcesses) ?? setup.ProducerProcesses,
            Consumers = parse.GetValue(_consumers) ?? consumers,
            ConsumerProcesses = parse.GetValue(_consumerProcesses) ?? setup.ConsumerProcesses,
            Connections = parse.GetValue(_connections) ?? setup.Connections,
            Subscriptions = subscriptions,
            Type = ParseType(parse.GetValue(_type)) ?? setup.Type,
            Keys = parse.GetValue(_keys) ?? setup.Keys,
            RandomShare = parse.GetValue(_random) ?? setup.RandomShare,
            PayloadPool = parse.GetValue(_pool) ?? setup.PayloadPool,
            PayloadFile = parse.GetValue(_file) is { } file ? Path.GetFullPath(file) : setup.PayloadFile,
            Compression = parse.GetValue(_compression) is { } name && Compression.TryParse(name, out Codec codec) ? codec : setup.Compression,
            DataParent = parse.GetValue(_data) ?? setup.DataParent,
            Environment = CommonOptions.ParseEnvironment(parse.GetValue(_environment)),
            BrokerEnvironment = CommonOptions.ParseEnvironment(parse.GetValue(_brokerEnvironment)),
        };
    }

    private static SubscriptionType? ParseType(string? name) => name switch
    {
        "exclusive" => SubscriptionType.Exclusive,
        "shared" => SubscriptionType.Shared,
        "key_shared" or "key-shared" => SubscriptionType.KeyShared,
        "failover" => SubscriptionType.Failover,
        _ => null,
    };

    private static Option<long?> Bytes(string name, string description) => new(name) { Description = description, CustomParser = CommonOptions.ParseOptionalBytes };

    private static Option<int?> Count(string name, string description) => new(name) { Description = description };

    private static Option<string?> OneOf(string name, string description, params string[] values)
    {
        Option<string?> option = new(name) { Description = description };
        option.AcceptOnlyFromAmong(values);
        return option;
    }
}
