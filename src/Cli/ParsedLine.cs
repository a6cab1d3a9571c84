using System.CommandLine;
using System.Diagnostics.CodeAnalysis;

namespace Danube.Fast.Cli;

/// <summary>Reads a command line. Compiled into danube-admin-cli, danube-loadtest and danube-bench too.</summary>
internal static class ParsedLine
{
    /// <summary>Reads a command line; what is wrong with it is told, a line each.</summary>
    /// <param name="root">The commands.</param>
    /// <param name="args">The arguments without the program name.</param>
    /// <param name="program">Who tells.</param>
    /// <param name="error">Receives that.</param>
    /// <param name="line">Can be run; null when something is wrong.</param>
    public static bool TryRead(RootCommand root, string[] args, string program, TextWriter error, [NotNullWhen(true)] out ParseResult? line)
    {
        (line, string[] problems) = Read(root, args);
        if (problems.Length == 0)
        {
            return line is not null;
        }

        foreach (string problem in problems)
        {
            error.WriteLine($"{program}: {problem}");
        }

        error.WriteLine("Try --help.");
        line = null;
        return false;
    }

    private static (ParseResult? Line, string[] Problems) Read(RootCommand root, string[] args)
    {
        try
        {
            ParseResult result = root.Parse(args);
            return (result, [.. result.Errors.Select(e => Plain(e.Message))]);
        }
        catch (InvalidOperationException e)
        {
            // The library throws when a rule of an option asks for the number that its text is not.
            return (null, [Plain(e.Message)]);
        }
    }

    // One line; and the library names the type of .NET.
    private static string Plain(string message)
    {
        message = string.Join(' ', message.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        int type = message.IndexOf(" as expected type ", StringComparison.Ordinal);
        if (type < 0)
        {
            return message;
        }

        string name = message[type..];
        string wanted = name.Contains("System.Int", StringComparison.Ordinal) ? "a whole number" : name.Contains("System.Boolean", StringComparison.Ordinal) ? "true or false" : "a number";
        return $"{message[..type]}: it takes {wanted}.";
    }
}
