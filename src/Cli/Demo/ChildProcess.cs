using System.Diagnostics;

namespace Danube.Fast.Cli.Demo;

/// <summary>Starts programs of this repository, whether they run as an executable or through <c>dotnet</c>.</summary>
internal static class ChildProcess
{
    private const string BrokerVariable = "DANUBE_BROKER";

    /// <summary>This program.</summary>
    public static string Self => typeof(ChildProcess).Assembly.Location;

    /// <summary>The broker's program: what the launcher names, or the one beside this program.</summary>
    /// <exception cref="FileNotFoundException">There is none.</exception>
    public static string Broker
    {
        get
        {
            string program = Environment.GetEnvironmentVariable(BrokerVariable) is { Length: > 0 } named
                ? named
                : Path.Combine(AppContext.BaseDirectory, "danube-broker.dll");
            return File.Exists(program)
                ? program
                : throw new FileNotFoundException($"There is no broker at {program}: run './danube demo', or name its program in {BrokerVariable}.");
        }
    }

    /// <summary>Starts a program without input, with its outputs redirected to the caller.</summary>
    public static Process Start(string program, params string[] arguments)
    {
        Process process = StartInteractive(program, arguments);
        process.StandardInput.Close();
        return process;
    }

    /// <summary>Starts a program with its input and outputs redirected to the caller.</summary>
    public static Process StartInteractive(string program, params string[] arguments)
    {
        bool needsRuntime = program.EndsWith(".dll", StringComparison.Ordinal);
        var start = new ProcessStartInfo(needsRuntime ? Runtime() : program)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
        };
        if (needsRuntime)
        {
            start.ArgumentList.Add(program);
        }

        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        return Process.Start(start) ?? throw new IOException($"{program} could not be started.");
    }

    // The launcher runs this program with 'dotnet'; from its own executable the runtime is the one on the path.
    private static string Runtime() =>
        Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? Environment.ProcessPath! : "dotnet";
}
