using System.CommandLine;
using Danube.Fast.Cli.Bench;
using Danube.Fast.Cli.Consume;
using Danube.Fast.Cli.Demo;
using Danube.Fast.Cli.Logs;
using Danube.Fast.Cli.Produce;
using Danube.Fast.Cli.Request;
using Danube.Fast.Cli.Subscriptions;
using Danube.Fast.Cli.Topics;

namespace Danube.Fast.Cli;

/// <summary>The commands of danube-cli.</summary>
public static class CliCommandLine
{
    /// <summary>Done.</summary>
    public const int Success = 0;

    /// <summary>The broker refused, cannot be reached, or the data is not what it should be.</summary>
    public const int Failure = 1;

    /// <summary>Wrong usage; nothing was done.</summary>
    public const int Usage = 2;

    /// <summary>Ended by Ctrl-C or SIGTERM before the work was done.</summary>
    public const int Interrupted = 130;

    // What was read or printed before Ctrl-C is still acknowledged; a broker that does not answer must not hold the terminal longer.
    private static readonly TimeSpan WindUp = TimeSpan.FromSeconds(10);

    /// <summary>Runs one command line.</summary>
    /// <param name="args">The arguments without the program name.</param>
    /// <param name="output">Receives help, listings and reports. Consumed messages go to the process's standard output as bytes.</param>
    /// <param name="error">Receives everything that is no result.</param>
    /// <returns>The exit code of the process.</returns>
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error)
    {
        var root = new RootCommand("Publishes, consumes and looks after topics of a Danube.Fast broker.")
        {
            ProduceCommand.Create(error),
            ConsumeCommand.Create(error),
            TopicCommands.Create(output, error),
            SubscriptionCommands.Create(output, error),
            RequestCommand.Create(error),
            BenchCommand.Create(output, error),
            LogCommand.Create(output, error),
            PingCommand.Create(output, error),
            DemoCommand.Create(output, error),
            DemoConsumeCommand.Create(output, error),
        };

        if (!ParsedLine.TryRead(root, args, "danube-cli", error, out ParseResult? parsed))
        {
            return Usage;
        }

        return await parsed.InvokeAsync(
            new InvocationConfiguration { Output = output, Error = error, ProcessTerminationTimeout = WindUp });
    }
}
