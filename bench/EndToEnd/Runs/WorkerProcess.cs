using System.Diagnostics;
using System.Text.Json;
using Danube.Fast.Bench.Workers;
using Danube.Fast.Harness;

namespace Danube.Fast.Bench.Runs;

/// <summary>A producer or consumer process, seen from the run that drives it.</summary>
public sealed class WorkerProcess : IAsyncDisposable
{
    private readonly Process _process;

    private WorkerProcess(Process process) => _process = process;

    public static async Task<WorkerProcess> StartAsync(WorkerJob job, IReadOnlyDictionary<string, string> environment)
    {
        var start = new ProcessStartInfo(DotNetHost.Path) { RedirectStandardInput = true, RedirectStandardOutput = true };
        start.ArgumentList.Add(BrokerLocator.BenchAssembly());
        start.ArgumentList.Add("worker");
        start.ArgumentList.Add(JsonSerializer.Serialize(job, WorkerJson.Default.WorkerJob));
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

    public async ValueTask DisposeAsync()
    {
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
        using var guard = new CancellationTokenSource(TimeSpan.FromSeconds(120));
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
