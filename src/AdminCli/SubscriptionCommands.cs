using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Danube.Fast.AdminCli;

/// <summary><c>subscriptions list | describe | skip | purge | seek | delete</c>.</summary>
internal static class SubscriptionCommands
{
    public static Command Create(CommandContext context)
    {
        var subscriptions = new Command("subscriptions", "Lists, describes and moves the subscriptions of a topic.");
        subscriptions.Subcommands.Add(List(context));
        subscriptions.Subcommands.Add(Describe(context));
        subscriptions.Subcommands.Add(Skip(context));
        subscriptions.Subcommands.Add(Purge(context));
        subscriptions.Subcommands.Add(Seek(context));
        subscriptions.Subcommands.Add(PeekCommand.OfSubscription(context));
        subscriptions.Subcommands.Add(Delete(context));
        return subscriptions;
    }

    private static Command List(CommandContext context)
    {
        var command = new Command("list", "Lists the subscriptions of a topic.");
        Argument<string> topic = TopicArgument.Topic();
        command.Arguments.Add(topic);
        context.SetAction(command, async (api, parsed, cancellationToken) =>
        {
            JsonElement list = await api.GetAsync($"{TopicCommands.Path}{parsed.GetValue(topic)}/subscriptions", cancellationToken);
            return context.PrintParts(parsed, list, reply => TableWriter.Write(
                context.Output, reply.Items("subscriptions"), "name", "type", "consumers", "mark_delete", "backlog", "delayed", "epoch", "blocked"));
        });
        return command;
    }

    private static Command Describe(CommandContext context) =>
        WithNames("describe", "Shows a subscription with its policy and its consumers.", (command, path) =>
            context.SetAction(command, async (api, parsed, cancellationToken) =>
            {
                JsonElement details = await api.GetAsync(path(parsed), cancellationToken);
                return context.PrintParts(parsed, details, reply => PrintSubscription(context.Output, reply));
            }));

    private static Command Skip(CommandContext context) =>
        WithNames("skip", "Acknowledges the next messages of a subscription unseen.", (command, path) =>
        {
            var count = new Option<long>("--count") { Description = "How many, from the first unacknowledged one on.", Required = true };
            command.Options.Add(count);
            Post(context, command, parsed => (path(parsed) + "/skip", new JsonObject { ["count"] = parsed.GetValue(count) }), "skipped");
        });

    private static Command Purge(CommandContext context) =>
        WithNames("purge", "Acknowledges all messages of a subscription unseen.", (command, path) => Post(context, command, parsed => (path(parsed) + "/purge", []), "skipped"));

    private static Command Seek(CommandContext context) =>
        WithNames("seek", "Moves a subscription; its consumers go on from there.", (command, path) =>
        {
            var to = new Option<string>("--to") { Description = "earliest, latest, offset:N or time:UNIX_MICROSECONDS. Of a topic with partitions all are moved; an offset is one partition's.", Required = true };
            command.Options.Add(to);
            Post(context, command, parsed => (path(parsed) + "/seek", new JsonObject { ["to"] = parsed.GetValue(to) }), "mark_delete");
        });

    private static Command Delete(CommandContext context) =>
        WithNames("delete", "Deletes a subscription and its position; its consumers are closed.", (command, path) =>
            context.SetAction(command, async (api, parsed, cancellationToken) =>
            {
                JsonElement done = await api.DeleteAsync(path(parsed), cancellationToken);
                return context.PrintParts(parsed, done, _ => context.Output.WriteLine("deleted"));
            }));

    /// <summary>A command about one subscription of one topic; <paramref name="set"/> gets the address of what was named.</summary>
    private static Command WithNames(string name, string description, Action<Command, Func<ParseResult, string>> set)
    {
        var command = new Command(name, description);
        Argument<string> topic = TopicArgument.Topic();
        Argument<string> subscription = TopicArgument.Part("subscription");
        command.Arguments.Add(topic);
        command.Arguments.Add(subscription);
        set(command, parsed => $"{TopicCommands.Path}{parsed.GetValue(topic)}/subscriptions/{parsed.GetValue(subscription)}");
        return command;
    }

    private static void Post(CommandContext context, Command command, Func<ParseResult, (string Path, JsonObject Body)> request, string figure) =>
        context.SetAction(command, async (api, parsed, cancellationToken) =>
        {
            (string path, JsonObject body) = request(parsed);
            JsonElement done = await api.PostAsync(path, body.ToJsonString(), cancellationToken);
            return context.PrintParts(parsed, done, reply => PrintDone(context.Output, reply, figure));
        });

    // Of a topic with partitions what was done in each of them.
    private static void PrintDone(TextWriter output, JsonElement reply, string figure)
    {
        if (reply.Member("partitions").ValueKind == JsonValueKind.Array)
        {
            TableWriter.Write(output, reply.Items("partitions"), "topic", figure);
        }
        else
        {
            output.WriteLine($"{figure} {reply.Text(figure)}");
        }
    }

    private static void PrintSubscription(TextWriter output, JsonElement details)
    {
        // Of a topic with partitions offsets and epochs are each partition's own.
        JsonElement[] partitions = details.Member("partitions").ValueKind == JsonValueKind.Array ? [.. details.Items("partitions")] : [];
        if (partitions.Length > 0)
        {
            TableWriter.WriteRows(output, ["PARTITION", "CONSUMERS", "MARK_DELETE", "ACKNOWLEDGED_BEYOND", "BACKLOG", "DELAYED", "EPOCH", "BLOCKED"], partitions.Select(p => (string[])
            [
                p.Text("topic"), Of(p, "consumers"), Of(p, "mark_delete"), p.Text("acknowledged_beyond"), Of(p, "backlog"), Of(p, "delayed"), Of(p, "epoch"), Of(p, "blocked"),
            ]));
            output.WriteLine();
        }

        foreach (string part in partitions.Length > 0 ? (string[])["policy"] : ["subscription", "policy"])
        {
            if (details.ValueKind == JsonValueKind.Object && details.TryGetProperty(part, out JsonElement members))
            {
                TableWriter.WriteMembers(output, members);
                output.WriteLine();
            }
        }

        TableWriter.Write(output, details.Items("consumers"), "name", "priority", "active", "in_flight", "credit");

        static string Of(JsonElement partition, string member) => partition.Member("subscription").Text(member);
    }
}
