using System.CommandLine;
using System.Text.Json;

namespace Danube.Fast.AdminCli;

/// <summary><c>brokers list</c>.</summary>
internal static class BrokerCommands
{
    public static Command Create(CommandContext context)
    {
        var brokers = new Command("brokers", "Shows brokers.");
        var list = new Command("list", "Lists the brokers.");
        context.SetAction(list, async (api, parsed, cancellationToken) =>
            context.Print(parsed, await api.GetAsync("admin/v1/brokers", cancellationToken), reply => Write(context.Output, reply)));
        brokers.Subcommands.Add(list);
        return brokers;
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
