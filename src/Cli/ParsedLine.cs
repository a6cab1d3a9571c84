using System.CommandLine;

namespace Danube.Fast.Cli;

/// <summary>A command line that was read, or what is wrong with it. Compiled into danube-admin-cli, danube-loadtest and danube-bench too.</summary>
/// <param name="Result">Null when not even that could be made of it.</param>
/// <param name="Problems">Sentences; empty when it can be run.</param>
internal sealed record ParsedLine(ParseResult? Result, IReadOnlyList<string> Problems)
{
    public static ParsedLine Read(RootCommand root, string[] args)
    {
        try
        {
            ParseResult result = root.Parse(args);
            return new ParsedLine(result, [.. result.Errors.Select(e => Plain(e.Message))]);
        }
        catch (InvalidOperationException e)
        {
            // The library throws when a rule of an option asks for the number that its text is not.
            return new ParsedLine(null, [Plain(e.Message)]);
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
