namespace Danube.Fast.LoadTests.CommandLine;

/// <summary>What the process ends with.</summary>
public static class ExitCodes
{
    public const int Passed = 0;

    /// <summary>A threshold is broken, or the auditor found a fault.</summary>
    public const int Failed = 1;

    /// <summary>Wrong usage.</summary>
    public const int Usage = 2;

    /// <summary>The run could not take place: no broker there, not enough open files, no place for reports.</summary>
    public const int NotRun = 3;

    /// <summary>Ctrl-C, and nothing wrong until then.</summary>
    public const int Interrupted = 130;
}
