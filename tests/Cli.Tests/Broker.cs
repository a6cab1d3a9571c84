using System.Diagnostics;
using Danube.Fast.Cli.Demo;

namespace Danube.Fast.Cli.Tests;

/// <summary>A real broker process for the tests of one class.</summary>
public sealed class Broker : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("danube-cli-tests-");
    private BrokerProcess? _process;

    /// <summary>A folder for files of the tests; removed at the end.</summary>
    public string Folder => _folder.FullName;

    public string Url => _process!.Url;

    public string Http => _process!.Http.ToString();

    public async Task InitializeAsync() => _process = await BrokerProcess.StartAsync(
        ChildProcess.Broker, Path.Combine(Folder, "data"), Path.Combine(Folder, "broker.log"), CancellationToken.None);

    public async Task DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.StopAsync();
            await _process.DisposeAsync();
        }

        _folder.Delete(recursive: true);
    }

    /// <summary>Runs danube-cli as a process of its own, as a shell does.</summary>
    /// <param name="arguments">The command line, separated by blanks; <c>--url</c> is added.</param>
    /// <param name="input">What it reads; null = nothing.</param>
    public async Task<CliResult> RunCliAsync(string arguments, byte[]? input = null)
    {
        using Process process = StartCli(arguments);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(120));
        var output = new MemoryStream();
        Task reading = process.StandardOutput.BaseStream.CopyToAsync(output, limit.Token);
        Task<string> errors = process.StandardError.ReadToEndAsync(limit.Token);
        try
        {
            await process.StandardInput.BaseStream.WriteAsync(input ?? [], limit.Token);
            process.StandardInput.Close();
            await reading;
            await process.WaitForExitAsync(limit.Token);
            return new CliResult(process.ExitCode, output.ToArray(), await errors);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }
    }

    /// <summary>Starts danube-cli with all its streams redirected to the caller.</summary>
    public Process StartCli(string arguments)
    {
        string[] words = arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return ChildProcess.StartInteractive(ChildProcess.Self, [.. words, "--url", Url]);
    }
}

/// <summary>What a run of danube-cli left.</summary>
public sealed record CliResult(int ExitCode, byte[] Output, string Error)
{
    // What produce says on a machine that is too busy to acknowledge.
    private const string Waits = "danube-cli: no answer for ";

    public string Text => System.Text.Encoding.UTF8.GetString(Output);

    /// <summary>The error output without notices that an answer takes long.</summary>
    public string Faults => string.Join('\n', Error.Split('\n').Where(l => !l.StartsWith(Waits, StringComparison.Ordinal)));

    /// <summary>The next line of an error output that is no such notice; null at its end.</summary>
    public static async Task<string?> NextAsync(StreamReader errors)
    {
        string? line;
        do
        {
            line = await errors.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60));
        }
        while (line?.StartsWith(Waits, StringComparison.Ordinal) == true);

        return line;
    }
}
