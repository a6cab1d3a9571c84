using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Danube.Fast.Cli.Demo.Cluster;

/// <summary>An etcd of the demo's own, on free loopback ports, in a folder of its own.</summary>
internal sealed class DemoEtcd : IAsyncDisposable
{
    private const string ProgramVariable = "DANUBE_ETCD";
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly Process _process;

    private DemoEtcd(Process process, string url)
    {
        _process = process;
        Url = url;
    }

    /// <summary>Address of its client port.</summary>
    public string Url { get; }

    public int ProcessId => _process.Id;

    /// <summary>Ports that nobody listens on now.</summary>
    public static int[] FreePorts(int count)
    {
        TcpListener[] listeners = [.. Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0))];
        Array.ForEach(listeners, l => l.Start());
        int[] ports = [.. listeners.Select(l => ((IPEndPoint)l.LocalEndpoint).Port)];
        Array.ForEach(listeners, l => l.Dispose());
        return ports;
    }

    /// <summary>Starts it and waits until it answers.</summary>
    /// <exception cref="FileNotFoundException">There is no etcd.</exception>
    /// <exception cref="InvalidDataException">It ended, or does not answer.</exception>
    public static async Task<DemoEtcd> StartAsync(string folder, CancellationToken cancellationToken)
    {
        int[] ports = FreePorts(2);
        string client = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{ports[0]}");
        string peer = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{ports[1]}");
        Process process = ChildProcess.Start(
            Program(),
            "--name", "demo", "--data-dir", Path.Combine(folder, "etcd"), "--log-level", "error", "--logger", "zap",
            "--listen-client-urls", client, "--advertise-client-urls", client, "--listen-peer-urls", peer,
            "--initial-advertise-peer-urls", peer, "--initial-cluster", "demo=" + peer);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(2) };
        long started = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                if ((await http.GetStringAsync(new Uri(client + "/health"), cancellationToken)).Contains("true", StringComparison.Ordinal))
                {
                    return new DemoEtcd(process, client);
                }
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested && e is HttpRequestException or OperationCanceledException)
            {
                if (process.HasExited || Stopwatch.GetElapsedTime(started) > StartLimit)
                {
                    throw new InvalidDataException("etcd did not start.", e);
                }
            }

            await Task.Delay(Pause, cancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private static string Program()
    {
        if (Environment.GetEnvironmentVariable(ProgramVariable) is { Length: > 0 } named)
        {
            return named;
        }

        IEnumerable<string> folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        return folders.Select(f => Path.Combine(f, "etcd")).FirstOrDefault(File.Exists)
            ?? throw new FileNotFoundException($"There is no etcd on the path: run './danube demo --cluster 3', install it, or name its program in {ProgramVariable}.");
    }
}
