using System.CommandLine;
using Danube.Fast.Cli;

namespace Danube.Fast.AdminCli;

/// <summary>The commands of danube-admin-cli. Exit codes: 0 done, 1 the broker refused or cannot be reached, 2 wrong usage; those of <c>cluster check</c> are its own.</summary>
public static class AdminCommandLine
{
    public const int Success = 0;
    public const int Failure = 1;
    public const int Usage = 2;

    /// <summary>Runs one command line.</summary>
    /// <param name="args">The arguments without the program name.</param>
    /// <param name="output">Receives results.</param>
    /// <param name="error">Receives everything that is no result.</param>
    /// <returns>The exit code of the process.</returns>
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error)
    {
        var options = new SharedOptions();
        var root = new RootCommand("Administers a Danube.Fast broker over its HTTP address.");
        options.AddTo(root);
        var context = new CommandContext(options, output, error);
        root.Subcommands.Add(TopicCommands.Create(context));
        root.Subcommands.Add(SubscriptionCommands.Create(context));
        root.Subcommands.Add(NamespaceCommands.Create(context));
        root.Subcommands.Add(BrokerCommands.Create(context));
        root.Subcommands.Add(ClusterCommands.Create(context));
        root.Subcommands.Add(HealthCommand.Create(context));

        if (!ParsedLine.TryRead(root, args, "danube-admin-cli", error, out ParseResult? parsed))
        {
            return Usage;
        }

        return await parsed.InvokeAsync(new InvocationConfiguration { Output = output, Error = error });
    }
}
