using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Danube.Fast.AdminCli;

/// <summary><c>topics list | describe | stats | create | policy | peek | purge | recreate | delete</c>.</summary>
internal static class TopicCommands
{
    /// <summary>Address of the topics; a topic's name follows.</summary>
    public const string Path = "admin/v1/topics";

    public static Command Create(CommandContext context)
    {
        var topics = new Command("topics", "Lists, describes, creates, changes and deletes topics.");
        topics.Subcommands.Add(List(context));
        topics.Subcommands.Add(Describe(context));
        topics.Subcommands.Add(Stats(context));
        topics.Subcommands.Add(CreateTopic(context));
        topics.Subcommands.Add(Policy(context));
        topics.Subcommands.Add(PeekCommand.OfTopic(context));
        topics.Subcommands.Add(Purge(context));
        topics.Subcommands.Add(Recreate(context));
        topics.Subcommands.Add(Delete(context));
        return topics;
    }

    private static Command List(CommandContext context)
    {
        var command = new Command("list", "Lists the topics of the broker.");
        var ns = new Option<string?>("--namespace") { Description = "Only topics of this namespace." };
        command.Options.Add(ns);
        context.SetAction(command, async (api, parsed, cancellationToken) =>
        {
            string query = parsed.GetValue(ns) is { } name ? "?namespace=" + Uri.EscapeDataString(name) : "";
            context.Print(parsed, await api.GetAsync(Path + query, cancellationToken), reply => TableWriter.Write(
                context.Output, reply.Items("topics"), "topic", "durability", "partitions", "log_start", "durable_end", "committed_end", "size_bytes", "producers", "state"));
        });
        return command;
    }

    private static Command Describe(CommandContext context)
    {
        var command = new Command("describe", "Shows one topic with its subscriptions.");
        Argument<string> topic = TopicArgument.Topic();
        command.Arguments.Add(topic);
        context.SetAction(command, async (api, parsed, cancellationToken) =>
            context.Print(parsed, await api.GetAsync(Path + parsed.GetValue(topic), cancellationToken), reply => PrintTopic(context.Output, reply)));
        return command;
    }

    private static Command Stats(CommandContext context)
    {
        var command = new Command("stats", "Shows rates, latencies and backlog of a topic over one second, partitions one by one.");
        Argument<string> topic = TopicArgument.Topic();
        command.Arguments.Add(topic);
        context.SetAction(command, async (api, parsed, cancellationToken) =>
        {
            JsonElement stats = await api.GetAsync($"{Path}{parsed.GetValue(topic)}/stats", cancellationToken);
            return context.PrintParts(parsed, stats, reply => TableWriter.Write(
                context.Output, reply.Items("loads"), "topic_name", "message_rate", "byte_rate", "out_byte_rate", "producer_count", "consumer_count", "subscription_count", "wal_size_bytes",
                "avg_latency_ms", "p99_latency_ms", "backlog_messages", "oldest_message_age_sec"));
        });
        return command;
    }

    private static Command CreateTopic(CommandContext context)
    {
        var command = new Command("create", "Creates a topic.");
        Argument<string> topic = TopicArgument.Topic();
        var durability = new Option<string?>("--durability") { Description = "fsync, os or memory; without it the broker's default." };
        durability.AcceptOnlyFromAmong("fsync", "os", "memory");
        var partitions = new Option<int?>("--partitions") { Description = "Number of partitions; without it a plain topic." };
        var retentionMs = new Option<long?>("--retention-ms") { Description = "Messages older than this may be deleted, in milliseconds." };
        var retentionBytes = new Option<long?>("--retention-bytes") { Description = "The oldest messages above this size may be deleted." };
        var throughput = new Option<double?>("--throughput-mbps") { Description = "In a cluster: payload that the topic will get, in megabit per second." };
        var size = new Option<double?>("--size-gb") { Description = "In a cluster: size that its log will have, in gigabytes." };
        var lowLatency = new Option<bool>("--low-latency") { Description = "In a cluster: keeps the topic away from brokers that are slow or busy." };
        var cpuIntensive = new Option<bool>("--cpu-intensive") { Description = "In a cluster: keeps the topic away from brokers with little processor time left." };
        command.Arguments.Add(topic);
        foreach (Option option in new Option[] { throughput, size, lowLatency, cpuIntensive })
        {
            command.Options.Add(option);
        }

        command.Options.Add(durability);
        command.Options.Add(partitions);
        command.Options.Add(retentionMs);
        command.Options.Add(retentionBytes);
        context.SetAction(command, async (api, parsed, cancellationToken) =>
        {
            var spec = new JsonObject { ["topic"] = parsed.GetValue(topic) };
            Set(spec, "durability", parsed.GetValue(durability));
            Set(spec, "partitions", parsed.GetValue(partitions));
            Set(spec, "retention_ms", parsed.GetValue(retentionMs));
            Set(spec, "retention_bytes", parsed.GetValue(retentionBytes));
            Set(spec, "estimated_throughput_mbps", parsed.GetValue(throughput));
            Set(spec, "estimated_size_gb", parsed.GetValue(size));
            Set(spec, "requires_low_latency", parsed.GetValue(lowLatency) ? true : null);
            Set(spec, "cpu_intensive", parsed.GetValue(cpuIntensive) ? true : null);
            context.Print(parsed, await api.PostAsync(Path, spec.ToJsonString(), cancellationToken), made =>
                context.Output.WriteLine("created " + parsed.GetValue(topic) + (made.Text("failure") is { Length: > 0 } missing ? ": " + missing : "")));
        });
        return command;
    }

    private static Command Policy(CommandContext context)
    {
        var command = new Command("policy", "Shows what is set on a topic and what holds for it, or changes what is set.");
        Argument<string> topic = TopicArgument.Topic();
        var changes = new PolicyOptions();
        command.Arguments.Add(topic);
        changes.AddTo(command);
        context.SetAction(command, async (api, parsed, cancellationToken) =>
        {
            string path = $"{Path}{parsed.GetValue(topic)}/policy";
            JsonElement policy = await api.GetAsync(path, cancellationToken);
            if (changes.IsChange(parsed))
            {
                policy = await api.PutAsync(path, changes.Change(parsed, policy.Member("policy")).ToJsonString(), cancellationToken);
            }

            context.Print(parsed, policy, reply => PrintPolicy(context.Output, reply));
        });
        return command;
    }

    private static Command Purge(CommandContext context)
    {
        var command = new Command("purge", "Deletes all messages of a topic; its subscriptions go on with what comes.");
        Argument<string> topic = TopicArgument.Topic();
        command.Arguments.Add(topic);
        context.SetAction(command, async (api, parsed, cancellationToken) =>
        {
            JsonElement done = await api.PostAsync($"{Path}{parsed.GetValue(topic)}/purge", "{}", cancellationToken);
            return context.PrintParts(parsed, done, _ => context.Output.WriteLine("purged " + parsed.GetValue(topic)));
        });
        return command;
    }

    private static Command Recreate(CommandContext context)
    {
        var command = new Command("recreate", "In a cluster: makes a topic anew, without messages and subscriptions, whose broker is lost or could not open it.");
        Argument<string> topic = TopicArgument.Topic();
        var loseData = new Option<bool>("--lose-data") { Description = "Says that the messages may be lost; required." };
        command.Arguments.Add(topic);
        command.Options.Add(loseData);
        command.Validators.Add(result =>
        {
            if (!result.GetValue(loseData))
            {
                result.AddError("recreate gives up the messages and subscriptions of the topic: say --lose-data when that is meant.");
            }
        });
        context.SetAction(command, async (api, parsed, cancellationToken) =>
        {
            const string body = "{\"lose_data\":true}";
            context.Print(parsed, await api.PostAsync($"{Path}{parsed.GetValue(topic)}/recreate", body, cancellationToken), _ =>
                context.Output.WriteLine("recreated " + parsed.GetValue(topic)));
        });
        return command;
    }

    private static Command Delete(CommandContext context)
    {
        var command = new Command("delete", "Deletes a topic, its messages and its subscriptions.");
        Argument<string> topic = TopicArgument.Topic();
        command.Arguments.Add(topic);
        context.SetAction(command, async (api, parsed, cancellationToken) =>
            context.Print(parsed, await api.DeleteAsync(Path + parsed.GetValue(topic), cancellationToken), _ =>
                context.Output.WriteLine("deleted " + parsed.GetValue(topic))));
        return command;
    }

    private static void PrintTopic(TextWriter output, JsonElement topic)
    {
        TableWriter.WriteMembers(output, topic);
        JsonElement[] damaged = [.. topic.Items("damaged")];
        if (damaged.Length > 0)
        {
            output.WriteLine();
            output.WriteLine("Messages that cannot be read any more, from offset to offset (not included):");
            TableWriter.Write(output, damaged, "from", "to");
        }

        JsonElement[] subscriptions = [.. topic.Items("subscriptions")];
        output.WriteLine();
        if (subscriptions.Length == 0)
        {
            output.WriteLine("no subscriptions");
        }
        else
        {
            TableWriter.Write(output, subscriptions, "name", "type", "consumers", "mark_delete", "backlog", "delayed", "epoch", "blocked");
        }
    }

    // What holds, and a mark at what the topic says itself.
    private static void PrintPolicy(TextWriter output, JsonElement reply)
    {
        JsonElement own = reply.Member("policy"), effective = reply.Member("effective");
        if (effective.ValueKind != JsonValueKind.Object)
        {
            TableWriter.WriteMembers(output, own);
            return;
        }

        int width = effective.EnumerateObject().Select(p => p.Name.Length).DefaultIfEmpty().Max();
        foreach (JsonProperty member in effective.EnumerateObject())
        {
            string mark = own.Member(member.Name).ValueKind is JsonValueKind.Undefined or JsonValueKind.Null ? "" : "  (set on the topic)";
            output.WriteLine($"{member.Name.PadRight(width)}  {effective.Text(member.Name)}{mark}");
        }
    }

    private static void Set(JsonObject spec, string member, JsonNode? value)
    {
        if (value is not null)
        {
            spec[member] = value;
        }
    }
}
