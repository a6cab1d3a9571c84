using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Danube.Fast.Harness;

/// <summary>How to start a broker. A null data directory means a temporary one that goes with the process object.</summary>
public sealed record BrokerOptions
{
    public string? DataDirectory { get; init; }

    /// <summary>Port of the native protocol; 0 = a free one. A fixed port lets clients reconnect to a restarted broker: <see cref="FreePort"/>.</summary>
    public int Port { get; init; }
    public IReadOnlyList<string> Arguments { get; init; } = [];
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>Told the process id as soon as the process runs, before its first line.</summary>
    public Action<int>? OnStarted { get; init; }

    /// <summary>How long the first line may take. Recovery of what an earlier process left is included.</summary>
    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>A port of the loopback address that nobody listens on now.</summary>
    public static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}

/// <summary>The broker did not come up.</summary>
public sealed class BrokerStartException(string message, int? exitCode) : Exception(message)
{
    /// <summary>Exit code when the process has ended, else null.</summary>
    public int? ExitCode { get; } = exitCode;
}

/// <summary>
/// A real broker process on free ports. Reads the addresses from the first line of its output, keeps the last lines of the rest, and signals
/// only the process it started.
/// </summary>
public sealed partial class BrokerProcess : IAsyncDisposable
{
    private const string FirstWord = "DANUBE ";
    private const int KeptLines = 400, SigTerm = 15, SigCont = 18, SigStop = 19;

    // Brokers whose folder goes with them, also when this process ends early: a second Ctrl-C, SIGTERM.
    private static readonly ConcurrentDictionary<BrokerProcess, bool> Owners = new();

    private readonly Process _process;
    private readonly TaskCompletionSource<string> _firstLine = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Queue<string> _lines = new();
    private readonly bool _ownsData;

    static BrokerProcess() => AppDomain.CurrentDomain.ProcessExit += (_, _) =>
    {
        foreach (BrokerProcess left in Owners.Keys)
        {
            left.Remove();
        }
    };

    private BrokerProcess(Process process, string data, bool ownsData)
    {
        _process = process;
        DataDirectory = data;
        _ownsData = ownsData;
        process.OutputDataReceived += (_, e) => OnLine(e.Data, true);
        process.ErrorDataReceived += (_, e) => OnLine(e.Data, false);
        if (ownsData)
        {
            Owners[this] = true;
        }
    }

    /// <summary>host:port of the native protocol.</summary>
    public string Native { get; private set; } = "";

    /// <summary>host:port of the HTTP endpoint.</summary>
    public string Http { get; private set; } = "";

    /// <summary>What <c>DanubeClient.ConnectAsync</c> takes.</summary>
    public string Url => "danube://" + Native;
    public string DataDirectory { get; }
    public int Pid => _process.Id;
    public bool HasExited => _process.HasExited;

    /// <summary>The last lines the process wrote: what a failing test shows.</summary>
    public string Output
    {
        get
        {
            lock (_lines)
            {
                return string.Join('\n', _lines);
            }
        }
    }

    /// <summary>Resident set in bytes, from /proc.</summary>
    public long ResidentBytes
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    /// <exception cref="BrokerStartException">It ended or said nothing within the start timeout.</exception>
    public static async Task<BrokerProcess> StartAsync(BrokerOptions? options = null)
    {
        options ??= new BrokerOptions();
        BrokerProcess broker = Create(options);
        try
        {
            await broker.RunAsync(options.StartTimeout, options.OnStarted);
        }
        catch
        {
            await broker.DisposeAsync();
            throw;
        }

        return broker;
    }

    /// <summary>
    /// Starts a broker and kills it with -9 after <paramref name="life"/>, to the millisecond as far as the machine allows: blocks the thread. True when it had not
    /// said that it listens.
    /// </summary>
    public static async Task<bool> KillWhileStartingAsync(BrokerOptions options, TimeSpan life)
    {
        await using BrokerProcess broker = Create(options);
        broker.Begin();
        Thread.Sleep(life);
        await broker.KillAsync();
        return !broker.Output.Contains(FirstWord, StringComparison.Ordinal);
    }

    /// <summary>kill -9, and waits until the process is gone.</summary>
    public async Task KillAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        await _process.WaitForExitAsync();
        RemoveTraces(_process.Id);
    }

    /// <summary>Removes what the runtime of a killed process has left in the temporary folder: a process that ends by itself does that.</summary>
    public static void RemoveTraces(int processId)
    {
        foreach (string trace in new[] { $"clr-debug-pipe-{processId}-*", $"dotnet-diagnostic-{processId}-*" }.SelectMany(p => Directory.EnumerateFiles(Path.GetTempPath(), p)))
        {
            File.Delete(trace);
        }
    }

    /// <summary>Sends SIGTERM and returns at once.</summary>
    public void Terminate() => Signal(SigTerm);

    /// <summary>Freezes the process (SIGSTOP); its connections stay open.</summary>
    public void Freeze() => Signal(SigStop);

    /// <summary>Lets a frozen process go on (SIGCONT).</summary>
    public void Continue() => Signal(SigCont);

    /// <summary>SIGTERM, then the exit code.</summary>
    /// <exception cref="TimeoutException">It did not end in time (the hang guard of the caller).</exception>
    public async Task<int> StopAsync(TimeSpan? guard = null)
    {
        Terminate();
        await _process.WaitForExitAsync().WaitAsync(guard ?? TimeSpan.FromSeconds(60));
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await KillAsync();
        }
        catch (InvalidOperationException)
        {
            // It was never started.
        }

        _process.Dispose();
        if (_ownsData && Directory.Exists(DataDirectory))
        {
            Directory.Delete(DataDirectory, true);
        }

        Owners.TryRemove(this, out _);
    }

    private void Remove()
    {
        try
        {
            _process.Kill();
            _process.WaitForExit(10_000);
            RemoveTraces(_process.Id);
        }
        catch (InvalidOperationException)
        {
            // It was never started, or is being disposed.
        }

        try
        {
            Directory.Delete(DataDirectory, true);
        }
        catch (IOException)
        {
            // Gone already.
        }
    }

    private static BrokerProcess Create(BrokerOptions options)
    {
        string data = options.DataDirectory ?? Directory.CreateTempSubdirectory("danube-").FullName;
        var start = new ProcessStartInfo(DotNetHost.Path) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (string argument in new[] { BrokerLocator.BrokerAssembly(), "--stop-with-stdin", "--data-dir", data, "--port", options.Port.ToString(CultureInfo.InvariantCulture), "--http-port", "0" }.Concat(options.Arguments))
        {
            start.ArgumentList.Add(argument);
        }

        foreach ((string name, string value) in options.Environment)
        {
            start.Environment[name] = value;
        }

        return new BrokerProcess(new Process { StartInfo = start }, data, options.DataDirectory is null);
    }

    private void Begin()
    {
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    private async Task RunAsync(TimeSpan timeout, Action<int>? onStarted)
    {
        Begin();
        onStarted?.Invoke(_process.Id);
        _ = _process.WaitForExitAsync().ContinueWith(_ => _firstLine.TrySetResult(""), TaskScheduler.Default);
        string line;
        try
        {
            line = await _firstLine.Task.WaitAsync(timeout);
        }
        catch (TimeoutException)
        {
            throw new BrokerStartException($"The broker printed nothing within {timeout.TotalSeconds:0} s.\n{Output}", null);
        }

        if (!line.StartsWith(FirstWord, StringComparison.Ordinal))
        {
            await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(10));
            throw new BrokerStartException($"The broker ended with code {_process.ExitCode} instead of printing its addresses.\n{Output}", _process.ExitCode);
        }

        foreach (string part in line.Split(' '))
        {
            Native = part.StartsWith("native=", StringComparison.Ordinal) ? part["native=".Length..] : Native;
            Http = part.StartsWith("http=", StringComparison.Ordinal) ? part["http=".Length..] : Http;
        }
    }

    private void Signal(int signal)
    {
        if (!_process.HasExited && Kill(_process.Id, signal) != 0)
        {
            throw new InvalidOperationException("kill(2) failed with errno " + Marshal.GetLastPInvokeError());
        }
    }

    private void OnLine(string? line, bool isOutput)
    {
        if (line is null)
        {
            return;
        }

        lock (_lines)
        {
            _lines.Enqueue(line);
            if (_lines.Count > KeptLines)
            {
                _lines.Dequeue();
            }
        }

        if (isOutput && line.StartsWith(FirstWord, StringComparison.Ordinal))
        {
            _firstLine.TrySetResult(line);
        }
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int pid, int signal);
}

/// <summary>The <c>dotnet</c> executable of this process.</summary>
public static class DotNetHost
{
    public static string Path { get; } = Find();

    private static string Find()
    {
        if (Environment.ProcessPath is { } own && System.IO.Path.GetFileNameWithoutExtension(own) == "dotnet")
        {
            return own;
        }

        string root = System.IO.Path.GetFullPath(System.IO.Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
        string host = System.IO.Path.Combine(root, OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet");
        return File.Exists(host) ? host : "dotnet";
    }
}
