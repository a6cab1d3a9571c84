using System.CommandLine;
using System.Text.Json;

namespace Danube.Fast.AdminCli;

/// <summary>What a command needs beside its own options: the broker's address, the output, and one way to fail.</summary>
internal sealed class CommandContext(SharedOptions options, TextWriter output, TextWriter error)
{
    public TextWriter Output { get; } = output;

    /// <summary>Makes <paramref name="call"/> the action of a command; broker errors become a line on the error output and exit code 1.</summary>
    public void SetAction(Command command, Func<AdminApi, ParseResult, CancellationToken, Task> call) =>
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var api = new AdminApi(parsed.GetValue(options.Url)!);
            try
            {
                await call(api, parsed, cancellationToken);
                return AdminCommandLine.Success;
            }
            catch (AdminException e)
            {
                await error.WriteLineAsync("danube-admin-cli: " + e.Message);
                return AdminCommandLine.Failure;
            }
        });

    /// <summary>Prints a reply as the caller asked for it.</summary>
    public void Print(ParseResult parsed, JsonElement reply, Action<JsonElement> asTable)
    {
        if (parsed.GetValue(options.Output) == OutputFormat.Json)
        {
            Output.WriteLine(reply.GetRawText());
        }
        else
        {
            asTable(reply);
        }
    }
}
