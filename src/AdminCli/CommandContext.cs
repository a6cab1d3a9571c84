using System.CommandLine;
using System.Text.Json;

namespace Danube.Fast.AdminCli;

/// <summary>What a command needs beside its own options: the broker's address, the output, and one way to fail.</summary>
internal sealed class CommandContext(SharedOptions options, TextWriter output, TextWriter error)
{
    public TextWriter Output { get; } = output;

    /// <summary>Makes <paramref name="call"/> the action of a command; broker errors become a line on the error output and exit code 1.</summary>
    public void SetAction(Command command, Func<AdminApi, ParseResult, CancellationToken, Task> call) => SetAction(command, async (api, parsed, cancellationToken) =>
    {
        await call(api, parsed, cancellationToken);
        return AdminCommandLine.Success;
    });

    /// <summary>The same for a command with exit codes of its own.</summary>
    /// <param name="command">The command.</param>
    /// <param name="call">Its action; answers with the exit code.</param>
    /// <param name="failure">Exit code when the broker refuses or does not answer.</param>
    public void SetAction(Command command, Func<AdminApi, ParseResult, CancellationToken, Task<int>> call, int failure = AdminCommandLine.Failure) =>
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var api = new AdminApi(parsed.GetValue(options.Url)!);
            try
            {
                return await call(api, parsed, cancellationToken);
            }
            catch (AdminException e)
            {
                await error.WriteLineAsync("danube-admin-cli: " + e.Message);
                return failure;
            }
        });

    /// <summary>Prints a reply as the caller asked for it.</summary>
    public void Print(ParseResult parsed, JsonElement reply, Action<JsonElement> asTable) => Print(parsed, reply, null, asTable);

    /// <summary>The same; a format of the command's own counts before the shared option.</summary>
    public void Print(ParseResult parsed, JsonElement reply, OutputFormat? format, Action<JsonElement> asTable)
    {
        if ((format ?? parsed.GetValue(options.Output)) == OutputFormat.Json)
        {
            Output.WriteLine(reply.GetRawText());
        }
        else
        {
            asTable(reply);
        }
    }

    /// <summary>Prints a reply that may leave out partitions of a topic, which are named then.</summary>
    /// <returns>The exit code of the command.</returns>
    public int PrintParts(ParseResult parsed, JsonElement reply, Action<JsonElement> asTable)
    {
        Print(parsed, reply, asTable);
        return PartialAnswer.Tell(error, reply);
    }
}
