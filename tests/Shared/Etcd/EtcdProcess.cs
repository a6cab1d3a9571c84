using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Danube.Fast.Tests.Etcd;

/// <summary>One real etcd on free loopback ports with a folder of its own. It can be killed, started again, stopped and continued.</summary>
internal sealed partial class EtcdProcess : IAsyncDisposable
{
    private const int SigStop = 19;
    private const int SigCont = 18;
    private const int Attempts = 3;
    private static readonly TimeSpan StartGuard = TimeSpan.FromSeconds(120);
    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(2) };

    private readonly string _folder = Directory.CreateTempSubdirectory("danube-etcd-").FullName;
    private readonly string _name;
    private readonly string _cluster;
    private readonly string[] _extra;
    private Process? _process;

    public EtcdProcess(string name, int clientPort, int peerPort, string cluster, params string[] extra)
    {
        _name = name;
        ClientPort = clientPort;
        PeerPort = peerPort;
        _cluster = cluster;
        _extra = extra;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => KillNow();
    }

    public int ClientPort { get; }

    public int PeerPort { get; }

    public Uri Endpoint => new($"http://127.0.0.1:{ClientPort}");

    /// <summary>A single member, ready to be used.</summary>
    public static async Task<EtcdProcess> StartSingleAsync(params string[] extra)
    {
        for (int attempt = 1; ; attempt++)
        {
            int[] ports = FreePorts(2);
            var etcd = new EtcdProcess("m0", ports[0], ports[1], $"m0=http://127.0.0.1:{ports[1]}", extra);
            try
            {
                await etcd.StartAsync();
                return etcd;
            }
            catch (InvalidOperationException) when (attempt < Attempts && etcd._process is { HasExited: true })
            {
                await etcd.DisposeAsync(); // Somebody else was faster with a port.
            }
            catch
            {
                await etcd.DisposeAsync();
                throw;
            }
        }
    }

    public static int[] FreePorts(int count)
    {
        TcpListener[] listeners = [.. Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0))];
        Array.ForEach(listeners, l => l.Start());
        int[] ports = [.. listeners.Select(l => ((IPEndPoint)l.LocalEndpoint).Port)];
        Array.ForEach(listeners, l => l.Dispose());
        return ports;
    }

    public async Task StartAsync()
    {
        Launch();
        await WaitUntilHealthyAsync();
    }

    public void Launch()
    {
        string scheme = _extra.Any(a => a.StartsWith("--cert-file", StringComparison.Ordinal)) ? "https" : "http";
        string client = $"{scheme}://127.0.0.1:{ClientPort}";
        string peer = $"http://127.0.0.1:{PeerPort}";
        var start = new ProcessStartInfo(EtcdTools.Find("etcd"))
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        foreach (string argument in (string[])[
            "--name", _name, "--data-dir", Path.Combine(_folder, "data"), "--log-level", "error", "--logger", "zap",
            "--listen-client-urls", client, "--advertise-client-urls", client,
            "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
            "--initial-cluster", _cluster, "--initial-cluster-state", "new", .. _extra])
        {
            start.ArgumentList.Add(argument);
        }

        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, _) => { };
        _process.ErrorDataReceived += (_, _) => { };
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public async Task WaitUntilHealthyAsync()
    {
        using var guard = new CancellationTokenSource(StartGuard);
        while (true)
        {
            try
            {
                if (_extra.Length > 0 && _extra.Any(a => a.StartsWith("--cert-file", StringComparison.Ordinal)))
                {
                    using var probe = new TcpClient();
                    await probe.ConnectAsync(IPAddress.Loopback, ClientPort, guard.Token);
                    return;
                }

                if ((await Http.GetStringAsync(new Uri(Endpoint, "/health"), guard.Token)).Contains("true", StringComparison.Ordinal))
                {
                    return;
                }
            }
            catch (Exception e) when (!guard.IsCancellationRequested && e is HttpRequestException or SocketException or OperationCanceledException)
            {
                if (_process!.HasExited)
                {
                    throw new InvalidOperationException($"etcd ended with exit code {_process.ExitCode}.", e);
                }
            }

            await Task.Delay(50, guard.Token);
        }
    }

    public async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>Copies the state as it is now.</summary>
    /// <param name="file">Made by this.</param>
    public Task SaveAsync(string file) => EtcdTools.ControlAsync(this, "snapshot", "save", file);

    /// <summary>Puts a copy in the place of the state; only while the process is dead. Leases of the copy begin anew when it starts.</summary>
    public async Task RestoreAsync(string file)
    {
        Assert.True(_process!.HasExited);
        string data = Path.Combine(_folder, "data");
        Directory.Delete(data, recursive: true);
        await EtcdTools.ControlAsync(this, "snapshot", "restore", file, "--name", _name, "--data-dir", data,
            "--initial-cluster", _cluster, "--initial-advertise-peer-urls", $"http://127.0.0.1:{PeerPort}");
    }

    public void Stop() => Assert.Equal(0, Signal(_process!.Id, SigStop));

    public void Continue() => Assert.Equal(0, Signal(_process!.Id, SigCont));

    public async ValueTask DisposeAsync()
    {
        KillNow();
        if (_process is not null)
        {
            await _process.WaitForExitAsync();
            _process.Dispose();
            _process = null;
        }

        Directory.Delete(_folder, recursive: true);
    }

    private void KillNow()
    {
        if (_process is { HasExited: false })
        {
            _process.Kill();
        }
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Signal(int pid, int signal);
}
