using System.CommandLine;
using System.Globalization;
using System.Text.Json;

namespace Danube.Fast.AdminCli;

/// <summary><c>brokers list | unload | activate | remove</c>.</summary>
internal static class BrokerCommands
{
    private const string Path = "admin/v1/brokers";

    // Exit code of a drain that is not over.
    private const int Draining = 3;

    public static Command Create(CommandContext context)
    {
        var brokers = new Command("brokers", "Shows brokers, drains and removes them.");
        var list = new Command("list", "Shows the broker that is asked; 'cluster status' shows all of a cluster.");
        context.SetAction(list, async (api, parsed, cancellationToken) =>
            context.Print(parsed, await api.GetAsync(Path, cancellationToken), reply => Write(context.Output, reply)));
        brokers.Subcommands.Add(list);
        brokers.Subcommands.Add(Change(context, "unload", "Drains a broker: it gets no new topics and gives up those that others can take. Exit code 3 while topics stay on it.", api => (id, token) => api.PostAsync($"{Path}/{id}/unload", "{}", token)));
        brokers.Subcommands.Add(Change(context, "activate", "Takes a drain back: the broker gets topics again.", api => (id, token) => api.PostAsync($"{Path}/{id}/activate", "{}", token)));
        brokers.Subcommands.Add(Change(context, "remove", "Forgets a broker that is gone for good; one that is there is refused.", api => (id, token) => api.DeleteAsync($"{Path}/{id}", token)));
        return brokers;
    }

    private static Command Change(CommandContext context, string name, string description, Func<AdminApi, Func<long, CancellationToken, Task<JsonElement>>> call)
    {
        var command = new Command(name, description);
        var broker = new Argument<long>("broker")
        {
            Description = "Id of the broker.",
            CustomParser = result =>
            {
                string text = result.Tokens[0].Value;
                if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long id))
                {
                    result.AddError($"'{text}' is no id of a broker: that is its number in 'cluster status'.");
                }

                return id;
            },
        };
        command.Arguments.Add(broker);
        context.SetAction(command, async (api, parsed, cancellationToken) =>
        {
            JsonElement reply = await call(api)(parsed.GetValue(broker), cancellationToken);
            context.Print(parsed, reply, _ => Print(context.Output, reply));
            return reply.Text("mode") == "draining" ? Draining : AdminCommandLine.Success;
        });
        return command;
    }

    private static void Print(TextWriter output, JsonElement reply)
    {
        // One that was removed has no mode any more.
        string mode = reply.Text("mode");
        output.WriteLine(mode.Length == 0 ? $"broker {reply.Text("broker")}: removed" : $"broker {reply.Text("broker")}: {mode}, {reply.Text("topics")} topics");
        foreach (JsonElement topic in mode == "draining" ? reply.Items("stays") : [])
        {
            output.WriteLine($"{topic.GetString()}  stays: its data is here");
        }
    }

    /// <summary>The columns are the plain members that the first broker has.</summary>
    private static void Write(TextWriter output, JsonElement reply)
    {
        JsonElement[] brokers = [.. reply.Items("brokers")];
        if (brokers.Length > 0)
        {
            TableWriter.Write(output, brokers, [.. brokers[0].EnumerateObject()
                .Where(p => p.Value.ValueKind is not (JsonValueKind.Array or JsonValueKind.Object)).Select(p => p.Name)]);
        }
    }
}
