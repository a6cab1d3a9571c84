using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Danube.Fast.Cli.Demo;

/// <summary>A broker of the demo's own, on free ports, in a folder of its own.</summary>
internal sealed partial class BrokerProcess : IAsyncDisposable
{
    private const int Terminate = 15;
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(60);

    private readonly Process _process;

    private readonly Task _logging;
    private bool _isDisposed;

    private BrokerProcess(Process process, Task logging, string native, string http)
    {
        _process = process;
        _logging = logging;
        Url = "danube://" + native;
        Http = new Uri("http://" + http);
    }

    /// <summary>Address for clients.</summary>
    public string Url { get; }

    /// <summary>Address of metrics and health.</summary>
    public Uri Http { get; }

    public int ProcessId => _process.Id;

    /// <summary>Starts the broker and waits for its first line, which says where it listens.</summary>
    /// <param name="program">The broker's program (.dll or executable).</param>
    /// <param name="dataDirectory">Its data folder.</param>
    /// <param name="logFile">Takes what the broker says besides.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="InvalidDataException">It ended, or said something else.</exception>
    public static Task<BrokerProcess> StartAsync(string program, string dataDirectory, string logFile, CancellationToken cancellationToken) =>
        StartAsync(program, dataDirectory, logFile, 0, null, cancellationToken);

    /// <param name="program">The broker's program (.dll or executable).</param>
    /// <param name="dataDirectory">Its data folder.</param>
    /// <param name="logFile">Takes what the broker says besides.</param>
    /// <param name="port">Its port for clients; 0 = a free one.</param>
    /// <param name="configuration">A YAML file, or null.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="InvalidDataException">It ended, or said something else.</exception>
    public static async Task<BrokerProcess> StartAsync(
        string program, string dataDirectory, string logFile, int port, string? configuration, CancellationToken cancellationToken)
    {
        // The pipe on its input ends with this process, however that ends, and the broker with the pipe.
        string[] arguments = ["--stop-with-stdin", "--port", port.ToString(CultureInfo.InvariantCulture), "--http-port", "0", "--data-dir", dataDirectory];
        Process process = ChildProcess.StartInteractive(program, configuration is null ? arguments : [.. arguments, "--config", configuration]);
        var log = TextWriter.Synchronized(new StreamWriter(logFile) { AutoFlush = true });
        Task errors = CopyAsync(process.StandardError, log);
        try
        {
            string? first = await process.StandardOutput.ReadLineAsync(cancellationToken).AsTask().WaitAsync(StartLimit, cancellationToken);
            Dictionary<string, string> fields = ParseAddresses(first);
            Task rest = Task.WhenAll(errors, CopyAsync(process.StandardOutput, log));
            return new BrokerProcess(process, rest, fields["native"], fields["http"]);
        }
        catch (Exception e)
        {
            process.Kill();
            await process.WaitForExitAsync(CancellationToken.None);
            await errors;
            log.Dispose();
            if (e is KeyNotFoundException or TimeoutException)
            {
                throw new InvalidDataException("The broker did not start. " + await File.ReadAllTextAsync(logFile, CancellationToken.None), e);
            }

            throw;
        }
    }

    /// <summary>Asks the broker to stop (SIGTERM) and waits until it has. Returns its exit code, or null when it had to be killed.</summary>
    public async Task<int?> StopAsync()
    {
        if (OperatingSystem.IsWindows())
        {
            _process.Kill();
            await _process.WaitForExitAsync();
            return 0;
        }

        SendSignal(_process.Id, Terminate);
        using var limit = new CancellationTokenSource(StopLimit);
        try
        {
            await _process.WaitForExitAsync(limit.Token);
            return _process.ExitCode;
        }
        catch (OperationCanceledException)
        {
            _process.Kill();
            await _process.WaitForExitAsync(CancellationToken.None);
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        await _logging;
        _process.Dispose();
    }

    /// <summary>Fields of <c>DANUBE native=HOST:PORT http=HOST:PORT ...</c>; empty for any other line.</summary>
    internal static Dictionary<string, string> ParseAddresses(string? line)
    {
        string[] words = line?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];
        return words is not ["DANUBE", ..]
            ? []
            : words.Skip(1).Select(w => w.Split('=', 2)).Where(p => p.Length == 2).ToDictionary(p => p[0], p => p[1]);
    }

    private static async Task CopyAsync(StreamReader from, TextWriter log)
    {
        while (await from.ReadLineAsync() is { } line)
        {
            log.WriteLine(line);
        }
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendSignal(int processId, int signal);
}
