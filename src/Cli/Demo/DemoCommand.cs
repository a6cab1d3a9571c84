using System.CommandLine;

namespace Danube.Fast.Cli.Demo;

/// <summary><c>demo</c>: the whole broker end to end, verified.</summary>
internal static class DemoCommand
{
    public static Command Create(TextWriter output, TextWriter error)
    {
        var file = new Argument<string?>("file")
        {
            Description = "File whose lines are published; without it a generated one.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var lines = new Option<int>("--lines") { Description = "Lines of the generated file.", DefaultValueFactory = _ => 1_000_000 };
        file.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string?>() is { } path && !File.Exists(path))
            {
                result.AddError($"There is no file '{path}'.");
            }
        });
        lines.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < 1)
            {
                result.AddError("--lines takes a number of at least 1.");
            }
        });

        var command = new Command(
            "demo",
            "Starts a broker in a temporary folder, publishes every line of a file to an fsync topic, consumes and acknowledges all in a second process, and verifies content, order and offsets.")
        {
            file, lines,
        };
        command.Runs(error, async (parsed, cancellationToken) =>
        {
            DirectoryInfo folder = Directory.CreateTempSubdirectory("danube-demo-");
            try
            {
                string? path = parsed.GetValue(file) is { } given ? Path.GetFullPath(given) : null;
                return await new DemoRun(folder.FullName, path, parsed.GetValue(lines), output, error).RunAsync(cancellationToken);
            }
            finally
            {
                folder.Delete(recursive: true);
            }
        });
        return command;
    }
}
