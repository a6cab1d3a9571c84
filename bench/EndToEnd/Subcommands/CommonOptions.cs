using System.CommandLine;
using System.CommandLine.Parsing;

namespace Danube.Fast.Bench.Subcommands;

/// <summary>Options that several commands share.</summary>
internal static class CommonOptions
{
    public static Option<int> Rounds(int value) => new("--rounds") { Description = "measured rounds; the median and the spread are printed", DefaultValueFactory = _ => value };

    public static Option<bool> Quick() => new("--quick") { Description = "one short round: shows that everything works, the figures are rough" };

    public static Option<double> Seconds(double value) => new("--seconds") { Description = "length of a measured round in seconds", DefaultValueFactory = _ => value };

    public static Option<double> LimitSeconds() => new("--limit-seconds") { Description = "length of each limit measurement in seconds", DefaultValueFactory = _ => 1.0 };

    public static Option<double> WarmUp(double value) => new("--warm-up") { Description = "seconds under load before the first measured round", DefaultValueFactory = _ => value };

    public static Option<string?> Data() => new("--data") { Description = "folder in which the broker's temporary data folder is made (default: the system's temporary folder)" };

    public static Option<FileInfo?> Json() => new("--json") { Description = "also write the figures as JSON to this file" };

    public static Option<string[]> Environment() => new("--env") { Description = "NAME=VALUE for the broker and worker processes; may be repeated", DefaultValueFactory = _ => [] };

    public static IReadOnlyDictionary<string, string> ParseEnvironment(string[]? pairs)
    {
        var result = new Dictionary<string, string>();
        foreach (string pair in pairs ?? [])
        {
            int at = pair.IndexOf('=');
            result[at < 0 ? pair : pair[..at]] = at < 0 ? "" : pair[(at + 1)..];
        }

        return result;
    }

    /// <summary>As <see cref="ParseBytes"/>, for an option that may be left out.</summary>
    public static long? ParseOptionalBytes(ArgumentResult result) => result.Tokens.Count == 0 ? null : ParseBytes(result);

    /// <summary>A number with an optional k, m or g (powers of 1,024).</summary>
    public static long ParseBytes(ArgumentResult result)
    {
        string text = result.Tokens.Count == 0 ? "" : result.Tokens[0].Value.ToLowerInvariant();
        int shift = text.Length == 0 ? 0 : text[^1] switch { 'k' => 10, 'm' => 20, 'g' => 30, _ => 0 };
        if (long.TryParse(shift > 0 ? text[..^1] : text, out long number) && number >= 0)
        {
            return number << shift;
        }

        result.AddError($"'{text}' is not a size: write a number, or one with k, m or g behind it.");
        return 0;
    }
}
