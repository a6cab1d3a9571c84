using Spectre.Console;

namespace Danube.Fast.Cli.Terminal;

/// <summary>Something that moves towards a known end.</summary>
/// <param name="Title">What it is.</param>
/// <param name="Total">Its end.</param>
/// <param name="Current">Reads how far it is; any thread.</param>
internal sealed record ProgressLine(string Title, double Total, Func<double> Current);

/// <summary>Draws progress on the error output while work runs, when that is a terminal. Work is not slowed: it is only looked at.</summary>
internal static class ProgressDisplay
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    /// <summary>True when there is somebody to look at it.</summary>
    public static bool IsPossible => !Console.IsErrorRedirected;

    /// <summary>Runs <paramref name="work"/> with its progress drawn, or just runs it.</summary>
    public static async Task RunAsync(Func<Task> work, params ProgressLine[] lines)
    {
        if (!IsPossible)
        {
            await work();
            return;
        }

        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        await console.Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new ElapsedTimeColumn())
            .StartAsync(async context =>
            {
                ProgressTask[] tasks = [.. lines.Select(l => context.AddTask(l.Title, maxValue: Math.Max(1, l.Total)))];
                Task running = Task.Run(work);
                while (!running.IsCompleted)
                {
                    await Task.WhenAny(running, Task.Delay(Interval));
                    for (int i = 0; i < lines.Length; i++)
                    {
                        tasks[i].Value = lines[i].Current();
                    }
                }

                await running;
            });
    }
}
