using System.CommandLine;

namespace Danube.Fast.Cli.Terminal;

/// <summary><c>--watch</c>: the same picture again and again until Ctrl-C.</summary>
internal static class Watch
{
    private const string Home = "\u001b[H\u001b[2J\u001b[3J";
    private static readonly TimeSpan DefaultInterval = TimeSpan.FromSeconds(2);

    /// <summary>The option; its value is how often.</summary>
    public static Option<string?> Option()
    {
        var watch = new Option<string?>("--watch", "-w")
        {
            Description = "Shows it again every 2 s, or as often as said (500ms, 10s), until Ctrl-C.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        watch.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && (!Duration.TryParse(result.Tokens[0].Value, out TimeSpan interval) || interval <= TimeSpan.Zero))
            {
                result.AddError($"--watch takes a time, {Duration.Form}, not '{result.Tokens[0].Value}'.");
            }
        });
        return watch;
    }

    /// <summary>Draws once, or until <paramref name="cancellationToken"/> when the option is given. Each picture appears whole.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="option">What <see cref="Option"/> has made.</param>
    /// <param name="output">Receives the picture.</param>
    /// <param name="error">Receives what is to be said about it; with the option that is part of the picture.</param>
    /// <param name="draw">Draws a picture, says what is to be said, and answers with the exit code.</param>
    /// <param name="cancellationToken">Ctrl-C.</param>
    public static async Task<int> RunAsync(
        ParseResult parsed, Option<string?> option, TextWriter output, TextWriter error, Func<TextWriter, TextWriter, CancellationToken, Task<int>> draw, CancellationToken cancellationToken)
    {
        if (parsed.GetResult(option) is null)
        {
            return await draw(output, error, cancellationToken);
        }

        TimeSpan interval = Duration.TryParse(parsed.GetValue(option), out TimeSpan asked) ? asked : DefaultInterval;
        string before = Console.IsOutputRedirected ? "" : Home, after = Console.IsOutputRedirected ? Environment.NewLine : "";
        try
        {
            while (true)
            {
                var picture = new StringWriter();
                await draw(picture, picture, cancellationToken);
                await output.WriteAsync(before + picture + after);
                await output.FlushAsync(cancellationToken);
                await Task.Delay(interval, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // It has no other end.
            return CliCommandLine.Success;
        }
    }
}
