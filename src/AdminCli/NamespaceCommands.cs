using System.CommandLine;
using System.Text.Json;

namespace Danube.Fast.AdminCli;

/// <summary><c>namespaces list | policy</c>.</summary>
internal static class NamespaceCommands
{
    private const string Path = "admin/v1/namespaces";

    public static Command Create(CommandContext context)
    {
        var namespaces = new Command("namespaces", "Lists namespaces, shows and changes their policies.");
        namespaces.Subcommands.Add(List(context));
        namespaces.Subcommands.Add(Policy(context));
        return namespaces;
    }

    private static Command List(CommandContext context)
    {
        var command = new Command("list", "Lists the namespaces that have topics or a policy.");
        context.SetAction(command, async (api, parsed, cancellationToken) =>
            context.Print(parsed, await api.GetAsync(Path, cancellationToken), reply => TableWriter.Write(context.Output, reply.Items("namespaces"), "namespace", "topics")));
        return command;
    }

    private static Command Policy(CommandContext context)
    {
        var command = new Command("policy", "Shows what is set on a namespace, or changes it. It holds for topics that do not say otherwise.");
        Argument<string> ns = TopicArgument.Part("namespace");
        var changes = new PolicyOptions();
        command.Arguments.Add(ns);
        changes.AddTo(command);
        context.SetAction(command, async (api, parsed, cancellationToken) =>
        {
            string path = $"{Path}/{parsed.GetValue(ns)}";
            JsonElement policy = await api.GetAsync(path, cancellationToken);
            if (changes.IsChange(parsed))
            {
                policy = await api.PutAsync(path, changes.Change(parsed, policy).ToJsonString(), cancellationToken);
            }

            context.Print(parsed, policy, reply => TableWriter.WriteMembers(context.Output, reply));
        });
        return command;
    }
}
