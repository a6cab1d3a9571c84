using System.CommandLine;

namespace Danube.Fast.AdminCli;

/// <summary>How results are printed.</summary>
public enum OutputFormat
{
    Table = 0,
    Json = 1,
}

/// <summary>Options that every command takes.</summary>
internal sealed class SharedOptions
{
    public Option<Uri> Url { get; } = new("--url")
    {
        Description = "HTTP address of the broker, http://HOST:PORT.",
        DefaultValueFactory = _ => new Uri("http://127.0.0.1:9040"),
        CustomParser = result =>
        {
            string text = result.Tokens[0].Value;
            if (Uri.TryCreate(text, UriKind.Absolute, out Uri? url) && url.Scheme is "http" or "https")
            {
                return url;
            }

            result.AddError($"--url takes an address like http://127.0.0.1:9040, not '{text}'.");
            return null;
        },
        Recursive = true,
    };

    public Option<OutputFormat> Output { get; } = new("--output", "-o")
    {
        Description = "How results are printed: table for people, json exactly as the broker sent it.",
        DefaultValueFactory = _ => OutputFormat.Table,
        Recursive = true,
    };

    public void AddTo(Command root)
    {
        root.Options.Add(Url);
        root.Options.Add(Output);
    }
}
