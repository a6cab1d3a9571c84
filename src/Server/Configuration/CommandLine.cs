using System.CommandLine;

namespace Danube.Fast.Server.Configuration;

/// <summary>The flags of the broker process. Each is a short way to a configuration key and beats file and environment.</summary>
internal static class CommandLine
{
    /// <summary>Parses and runs. Help and parse errors are answered here; parse errors give exit code 2.</summary>
    /// <param name="args">The command line.</param>
    /// <param name="run">Runs the broker; told whether it stops when the standard input ends.</param>
    /// <param name="configError">Says what is wrong; its answer is the exit code.</param>
    public static async Task<int> InvokeAsync(string[] args, Func<BrokerOptions, bool, Task<int>> run, Func<string, int> configError)
    {
        var config = new Option<string?>("--config") { Description = "YAML file with configuration (see config/danube_broker.yml)", HelpName = "FILE" };
        var stopWithInput = new Option<bool>("--stop-with-stdin") { Description = "stop as after SIGTERM when the standard input ends: when whoever started the broker closes the pipe, or dies" };
        (Option<string?> Option, string Path)[] flags =
        [
            (new Option<string?>("--data-dir") { Description = "folder of logs and metadata [default: ./danube-data]", HelpName = "DIR" }, "data.directory"),
            (new Option<string?>("--port") { Description = "port of the native protocol, 0 = a free one [default: 6650]", HelpName = "N" }, "listen.port"),
            (new Option<string?>("--http-port") { Description = "port of metrics, health and admin API, 0 = a free one [default: 9040]", HelpName = "N" }, "http.port"),
            (new Option<string?>("--listen") { Description = "address of the native protocol [default: 127.0.0.1]", HelpName = "ADDRESS" }, "listen.address"),
            (new Option<string?>("--log-level") { Description = "trace, debug, information, warning, error or none [default: information]", HelpName = "LEVEL" }, "log.level"),
        ];

        var root = new RootCommand("Danube.Fast broker. Starts with no configuration at all; stops cleanly on SIGTERM or SIGINT.");
        root.Options.Add(config);
        foreach ((Option<string?> option, _) in flags)
        {
            root.Options.Add(option);
        }

        root.Options.Add(stopWithInput);
        root.SetAction(async (ParseResult result, CancellationToken _) =>
        {
            BrokerOptions options;
            try
            {
                options = ConfigLoader.Load(
                    result.GetValue(config),
                    Environment.GetEnvironmentVariables(),
                    flags.Where(f => result.GetResult(f.Option) is { Implicit: false }).Select(f => (f.Option.Name, f.Path, result.GetValue(f.Option) ?? "")));
            }
            catch (ConfigException e)
            {
                return configError(e.Message);
            }

            return await run(options, result.GetValue(stopWithInput));
        });

        ParseResult parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            return configError(string.Join(" ", parsed.Errors.Select(e => e.Message)) + " Try --help.");
        }

        // Signals are the broker's own business: a drain, not a cancelled command.
        return await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
    }
}
