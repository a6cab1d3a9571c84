using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Danube.Fast.Bench.Workers;
using Danube.Fast.Harness;

namespace Danube.Fast.Bench.Runs;

/// <summary>A producer or consumer process, seen from the run that drives it.</summary>
public sealed class WorkerProcess : IAsyncDisposable
{
    private readonly Process _process;
    private bool _isDisposed;

    private WorkerProcess(Process process) => _process = process;

    public static Task<WorkerProcess> StartAsync(WorkerJob job, IReadOnlyDictionary<string, string> environment) => StartAsync([DotNetHost.Path], job, environment);

    /// <summary>
    /// Starts one that runs only where nobody else wants the processor, as if it were on a machine of its own. On Linux the priority of a running process is that of its
    /// first thread alone, and threads have that of the one that made them: it is set before there are others. There it is the idle class: whoever else wakes up
    /// gets the processor at once, which even the lowest priority does not grant.
    /// </summary>
    public static Task<WorkerProcess> StartYieldingAsync(WorkerJob job, IReadOnlyDictionary<string, string> environment)
    {
        string[] yielding = OperatingSystem.IsLinux() ? ["chrt", "--idle", "0"] : OperatingSystem.IsWindows() ? [] : ["nice", "-n", "19"];
        return StartAsync([.. yielding, DotNetHost.Path], job, environment);
    }

    private static async Task<WorkerProcess> StartAsync(string[] program, WorkerJob job, IReadOnlyDictionary<string, string> environment)
    {
        string[] arguments = [.. program[1..], BrokerLocator.BenchAssembly(), "worker", JsonSerializer.Serialize(job, WorkerJson.Default.WorkerJob)];
        var start = new ProcessStartInfo(program[0], arguments) { RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }

        var worker = new WorkerProcess(Process.Start(start)!);
        await worker.ReadAsync();
        return worker;
    }

    public int ProcessId => _process.Id;

    public Task<WorkerSnapshot> RunAsync() => CommandAsync("run");

    public Task<WorkerSnapshot> PauseAsync() => CommandAsync("pause");

    public Task<WorkerSnapshot> SnapAsync() => CommandAsync("snap");

    public Task<WorkerSnapshot> ClearAsync() => CommandAsync("clear");

    /// <summary>A snapshot after which the histograms start over.</summary>
    public Task<WorkerSnapshot> TakeAsync() => CommandAsync("take");

    /// <summary>A snapshot without histograms: cheap.</summary>
    public Task<WorkerSnapshot> CountAsync() => CommandAsync("count");

    public Task<WorkerSnapshot> SetRateAsync(double perSecond) => CommandAsync("rate " + perSecond.ToString(CultureInfo.InvariantCulture));

    /// <summary>Ends it without waiting for what it has on the way.</summary>
    public void Kill()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
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
            _process.StandardInput.Close();
            try
            {
                await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(15));
            }
            catch (TimeoutException)
            {
                _process.Kill();
                await _process.WaitForExitAsync();
            }
        }

        _process.Dispose();
    }

    private async Task<WorkerSnapshot> CommandAsync(string command)
    {
        await _process.StandardInput.WriteLineAsync(command);
        await _process.StandardInput.FlushAsync();
        return await ReadAsync();
    }

    private async Task<WorkerSnapshot> ReadAsync()
    {
        using var guard = new CancellationTokenSource(TimeSpan.FromSeconds(300));
        while (await _process.StandardOutput.ReadLineAsync(guard.Token) is { } line)
        {
            if (line.StartsWith("SNAP ", StringComparison.Ordinal))
            {
                WorkerSnapshot snapshot = JsonSerializer.Deserialize(line.AsSpan(5), WorkerJson.Default.WorkerSnapshot)!;
                return snapshot.Error is null ? snapshot : throw new InvalidOperationException("A worker failed: " + snapshot.Error);
            }
        }

        throw new InvalidOperationException("A worker process ended early.");
    }
}
