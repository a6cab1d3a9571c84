using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Danube.Fast.AdminCli;

/// <summary><c>topics list | describe | create | delete</c>.</summary>
internal static class TopicCommands
{
    private const string Path = "admin/v1/topics";

    public static Command Create(CommandContext context)
    {
        var topics = new Command("topics", "Lists, describes, creates and deletes topics.");
        topics.Subcommands.Add(List(context));
        topics.Subcommands.Add(Describe(context));
        topics.Subcommands.Add(CreateTopic(context));
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
        Argument<string> topic = TopicArgument();
        command.Arguments.Add(topic);
        context.SetAction(command, async (api, parsed, cancellationToken) =>
            context.Print(parsed, await api.GetAsync(Path + parsed.GetValue(topic), cancellationToken), reply => PrintTopic(context.Output, reply)));
        return command;
    }

    private static Command CreateTopic(CommandContext context)
    {
        var command = new Command("create", "Creates a topic.");
        Argument<string> topic = TopicArgument();
        var durability = new Option<string?>("--durability") { Description = "fsync, os or memory; without it the broker's default." };
        durability.AcceptOnlyFromAmong("fsync", "os", "memory");
        var partitions = new Option<int?>("--partitions") { Description = "Number of partitions; without it a plain topic." };
        var retentionMs = new Option<long?>("--retention-ms") { Description = "Messages older than this may be deleted, in milliseconds." };
        var retentionBytes = new Option<long?>("--retention-bytes") { Description = "The oldest messages above this size may be deleted." };
        command.Arguments.Add(topic);
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
            context.Print(parsed, await api.PostAsync(Path, spec.ToJsonString(), cancellationToken), _ =>
                context.Output.WriteLine("created " + parsed.GetValue(topic)));
        });
        return command;
    }

    private static Command Delete(CommandContext context)
    {
        var command = new Command("delete", "Deletes a topic, its messages and its subscriptions.");
        Argument<string> topic = TopicArgument();
        command.Arguments.Add(topic);
        context.SetAction(command, async (api, parsed, cancellationToken) =>
            context.Print(parsed, await api.DeleteAsync(Path + parsed.GetValue(topic), cancellationToken), _ =>
                context.Output.WriteLine("deleted " + parsed.GetValue(topic))));
        return command;
    }

    private static void PrintTopic(TextWriter output, JsonElement topic)
    {
        TableWriter.WriteMembers(output, topic);
        JsonElement[] subscriptions = [.. topic.Items("subscriptions")];
        output.WriteLine();
        if (subscriptions.Length == 0)
        {
            output.WriteLine("no subscriptions");
        }
        else
        {
            TableWriter.Write(output, subscriptions, "name", "type", "consumers", "mark_delete", "backlog", "epoch");
        }
    }

    private static void Set(JsonObject spec, string member, JsonNode? value)
    {
        if (value is not null)
        {
            spec[member] = value;
        }
    }

    private static Argument<string> TopicArgument()
    {
        var topic = new Argument<string>("topic") { Description = "Name of the topic, /namespace/name." };
        topic.Validators.Add(result =>
        {
            string name = result.GetValueOrDefault<string>();
            string[] parts = name.Split('/');
            if (parts.Length != 3 || parts[0].Length > 0 || !parts.Skip(1).All(IsNamePart))
            {
                result.AddError($"'{name}' is no topic name: it takes the form /namespace/name with letters, digits, '.', '_' and '-'.");
            }
        });
        return topic;
    }

    private static bool IsNamePart(string part) =>
        part.Length > 0 && part.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');
}
