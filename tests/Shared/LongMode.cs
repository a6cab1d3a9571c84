namespace Danube.Fast.Tests;

/// <summary>
/// How much the expensive tests try. <c>./danube test --long</c> sets DANUBE_LONG=1: they are exhaustive then; else they sample, with fixed seeds.
/// Nothing else reads the variable. Runs on: any thread.
/// </summary>
internal static class LongMode
{
    private const string Variable = "DANUBE_LONG", CountsVariable = "DANUBE_COUNTS";
    private static readonly Lock Gate = new();

    public static bool IsOn { get; } = Environment.GetEnvironmentVariable(Variable) == "1";

    /// <summary>The number for this run.</summary>
    public static int Pick(int sampled, int exhaustive) => IsOn ? exhaustive : sampled;

    /// <summary>
    /// Says what a test has tried, in one line: in the output of the process, and in the file that DANUBE_COUNTS names, which
    /// <c>./danube test</c> prints at its end.
    /// </summary>
    public static void Report(string test, string counts)
    {
        string line = $"{test} ({(IsOn ? "long" : "sampled")}): {counts}";
        Console.WriteLine(line);
        if (Environment.GetEnvironmentVariable(CountsVariable) is { Length: > 0 } file)
        {
            lock (Gate)
            {
                File.AppendAllText(file, line + "\n");
            }
        }
    }
}
