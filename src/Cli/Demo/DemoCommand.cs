using System.CommandLine;
using Danube.Fast.Cli.Demo.Cluster;

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
        var cluster = new Option<int>("--cluster")
        {
            Description = "Instead: so many brokers (2 to 9) share topics through an etcd on this machine; one is killed and comes back.",
            HelpName = "N",
        };
        cluster.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 2 or > 9)
            {
                result.AddError("--cluster takes a number from 2 to 9.");
            }
        });
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
            file, lines, cluster,
        };
        command.Runs(error, async (parsed, cancellationToken) =>
        {
            DirectoryInfo folder = Directory.CreateTempSubdirectory("danube-demo-");
            try
            {
                if (parsed.GetResult(cluster) is { Implicit: false })
                {
                    return await new ClusterDemoRun(folder.FullName, parsed.GetValue(cluster), output, error).RunAsync(cancellationToken);
                }

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
