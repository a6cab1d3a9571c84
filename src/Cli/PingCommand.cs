using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Danube.Fast.Client;

namespace Danube.Fast.Cli;

/// <summary><c>ping</c>: is a broker there, and how far away.</summary>
internal static class PingCommand
{
    public static Command Create(TextWriter output, TextWriter error)
    {
        Option<string> url = SharedOptions.Url();
        Option<long?> count = SharedOptions.Number("--count", 1, "How often; once without it.");
        var command = new Command("ping", "Asks the broker for a sign of life and prints how long it took.") { url, count };
        command.Runs(error, async (parsed, cancellationToken) =>
        {
            await using DanubeClient client = await DanubeClient.ConnectAsync(parsed.GetValue(url)!, null, cancellationToken);
            long times = parsed.GetValue(count) ?? 1;
            for (long i = 0; i < times; i++)
            {
                if (i > 0)
                {
                    await Task.Delay(TimeSpan.FromSeconds(1), cancellationToken);
                }

                long started = Stopwatch.GetTimestamp();
                await client.PingAsync(cancellationToken);
                double milliseconds = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
                await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{parsed.GetValue(url)} answered in {milliseconds:0.000} ms"));
            }

            return CliCommandLine.Success;
        });
        return command;
    }
}
