using System.CommandLine;
using Danube.Fast.Cli;

namespace Danube.Fast.Bench;

/// <summary>Runs a command line of danube-bench. Exit codes: those of the commands, 1 when one fails, 2 wrong usage, 3 could not be run.</summary>
internal static class BenchCommandLine
{
    private const int Failure = 1, Usage = 2, NotRun = 3;

    public static async Task<int> RunAsync(RootCommand root, string[] args, TextWriter error)
    {
        if (!ParsedLine.TryRead(root, args, "danube bench", error, out ParseResult? parsed))
        {
            return Usage;
        }

        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
        }
        catch (Exception e) when (e is DirectoryNotFoundException or FileNotFoundException)
        {
            // Broker, micro-benchmarks and work folders are those of a source tree.
            await error.WriteLineAsync("danube bench: " + e.Message);
            return NotRun;
        }
        catch (OperationCanceledException)
        {
            return Failure;
        }
        catch (Exception e)
        {
            await error.WriteLineAsync("danube bench: " + e);
            return Failure;
        }
    }
}
