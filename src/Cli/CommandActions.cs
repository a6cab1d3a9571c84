using System.CommandLine;
using System.Net.Sockets;
using Danube.Fast.Cli.Terminal;
using Danube.Fast.Client;

namespace Danube.Fast.Cli;

/// <summary>One way to run a command and to fail: a sentence on the error output and the exit code.</summary>
internal static class CommandActions
{
    /// <summary>Makes <paramref name="action"/> what the command does. Errors that have a reason outside this program become exit code 1.</summary>
    public static void Runs(this Command command, TextWriter error, Func<ParseResult, CancellationToken, Task<int>> action) =>
        command.SetAction(async (parsed, cancellationToken) =>
        {
            try
            {
                return await action(parsed, cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return CliCommandLine.Interrupted;
            }
            catch (OutputClosedException)
            {
                // The reader has what it wanted (head, say). What it did not take stays unacknowledged.
                return CliCommandLine.Success;
            }
            catch (Exception e) when (e is DanubeException or IOException or SocketException or InvalidDataException
                or UnauthorizedAccessException or TimeoutException)
            {
                await error.WriteLineAsync("danube-cli: " + e.Message);
                return CliCommandLine.Failure;
            }
        });
}
