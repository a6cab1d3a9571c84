using System.Globalization;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Danube.Fast.Bench.Workloads;

/// <summary>Reads workload files. Every mistake is told with its line: a workload that is not understood must not be measured.</summary>
public static class WorkloadReader
{
    // Fields that old and new workload files have, for the message about unknown ones.
    private const string Known =
        "name, topics, partitionsPerTopic, messageSize, payloadFile, useRandomizedPayloads, randomBytesRatio, randomizedPayloadPoolSize, subscriptionsPerTopic, "
        + "consumerPerSubscription, producersPerTopic, producerRate, consumerBacklogSizeGB, backlogDrainRatio, testDurationMinutes, warmupDurationMinutes, keyDistributor";

    /// <exception cref="WorkloadException">The file is missing, is not YAML, has unknown keys, or asks for what is not possible.</exception>
    public static Workload Read(FileInfo file)
    {
        if (!file.Exists)
        {
            throw new WorkloadException($"{file.FullName} does not exist. Examples are in bench/workloads.");
        }

        return Parse(File.ReadAllText(file.FullName), file.Name, path => FindPayload(file, path));
    }

    /// <param name="yaml">The text.</param>
    /// <param name="origin">Name of the file, for messages.</param>
    /// <param name="findPayload">Full path of a payload file, null when there is none.</param>
    /// <exception cref="WorkloadException">As for <see cref="Read"/>.</exception>
    public static Workload Parse(string yaml, string origin, Func<string, string?> findPayload)
    {
        var stream = new YamlStream();
        try
        {
            stream.Load(new StringReader(yaml));
        }
        catch (YamlException e)
        {
            throw new WorkloadException($"{origin}, line {e.Start.Line}: this is not YAML: {e.Message}");
        }

        if (stream.Documents.Count != 1 || stream.Documents[0].RootNode is not YamlMappingNode root)
        {
            throw new WorkloadException($"{origin}: a workload is one list of 'key: value' lines.");
        }

        var workload = new Workload { Name = Path.GetFileNameWithoutExtension(origin) };
        foreach ((YamlNode key, YamlNode value) in root.Children)
        {
            workload = Apply(workload, new Field(origin, key, value), findPayload);
        }

        Check(workload, origin);
        return workload;
    }

    private static Workload Apply(Workload workload, Field field, Func<string, string?> findPayload) => field.Name switch
    {
        "name" => workload with { Name = field.Text },
        "topics" => workload with { Topics = field.Int(1) },
        "partitionsPerTopic" => workload with { PartitionsPerTopic = field.Int(1) },
        "messageSize" => workload with { MessageSize = field.Int(1) },
        "payloadFile" => workload with { PayloadFile = field.Text.Length == 0 ? "" : findPayload(field.Text) ?? throw field.Error("was not found beside the workload, one folder above it, or in the current folder; put it there, or use useRandomizedPayloads") },
        "useRandomizedPayloads" => workload with { UseRandomizedPayloads = field.Bool() },
        "randomBytesRatio" => workload with { RandomBytesRatio = field.Number(0, 1) },
        "randomizedPayloadPoolSize" => workload with { RandomizedPayloadPoolSize = field.Int(0) },
        "subscriptionsPerTopic" => workload with { SubscriptionsPerTopic = field.Int(0) },
        "consumerPerSubscription" => workload with { ConsumerPerSubscription = field.Int(0) },
        "producersPerTopic" => workload with { ProducersPerTopic = field.Int(1) },
        "producerRate" => workload with { ProducerRate = field.Number(0, 1e9) },
        "consumerBacklogSizeGB" => workload with { ConsumerBacklogSizeGB = field.Number(0, 1e6) },
        "backlogDrainRatio" => workload with { BacklogDrainRatio = field.Number(0, 1) },
        "testDurationMinutes" => workload with { TestDurationMinutes = field.Number(0, 1e6) },
        "warmupDurationMinutes" => workload with { WarmupDurationMinutes = field.Number(0, 1e6) },
        "keyDistributor" => workload with { KeyDistributor = field.Keys() },
        _ => throw field.Error($"is not known here. Known are: {Known}"),
    };

    private static void Check(Workload workload, string origin)
    {
        string? fault = workload switch
        {
            { MessageSize: 0 } => "messageSize is missing",
            { ProducersPerTopic: 0 } => "producersPerTopic is missing",
            { TestDurationMinutes: 0 } => "testDurationMinutes is missing or 0",
            { SubscriptionsPerTopic: > 0, ConsumerPerSubscription: 0 } => "there are subscriptions but no consumers: set consumerPerSubscription",
            { UseRandomizedPayloads: true, RandomizedPayloadPoolSize: 0 } => "useRandomizedPayloads needs randomizedPayloadPoolSize, at least 1",
            { ConsumerBacklogSizeGB: > 0, ProducerRate: 0 } => "a backlog is built at a fixed rate: set producerRate",
            { ConsumerBacklogSizeGB: > 0, SubscriptionsPerTopic: 0 } => "a backlog needs a subscription: set subscriptionsPerTopic",
            _ => null,
        };
        if (fault is not null)
        {
            throw new WorkloadException($"{origin}: {fault}.");
        }
    }

    // Workload files name payloads relative to the folder above their own.
    private static string? FindPayload(FileInfo workload, string path) => new[] { workload.DirectoryName!, Path.Combine(workload.DirectoryName!, ".."), Environment.CurrentDirectory }
        .Select(folder => Path.GetFullPath(Path.Combine(folder, path)))
        .FirstOrDefault(File.Exists);

    /// <summary>One key with its value, and how to complain about it.</summary>
    private sealed class Field(string origin, YamlNode key, YamlNode value)
    {
        public string Name { get; } = (key as YamlScalarNode)?.Value ?? "?";

        public string Text => (value as YamlScalarNode)?.Value ?? throw Error("takes one value");

        public int Int(int least) => int.TryParse(Text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= least
            ? number
            : throw Error($"'{Text}' is not a whole number of at least {least}");

        public double Number(double least, double most) =>
            double.TryParse(Text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number) && number >= least && number <= most
                ? number
                : throw Error(string.Create(CultureInfo.InvariantCulture, $"'{Text}' is not a number from {least} to {most}"));

        public bool Bool() => bool.TryParse(Text, out bool isSet) ? isSet : throw Error($"'{Text}' is neither true nor false");

        public KeyDistributor Keys() => Text switch
        {
            "NO_KEY" => KeyDistributor.None,
            "KEY_ROUND_ROBIN" => KeyDistributor.RoundRobin,
            "RANDOM_NANO" => KeyDistributor.Random,
            _ => throw Error($"'{Text}' is none of NO_KEY, KEY_ROUND_ROBIN, RANDOM_NANO"),
        };

        public WorkloadException Error(string what) => new($"{origin}, line {key.Start.Line}: {Name}: {what}.");
    }
}
