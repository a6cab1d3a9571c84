using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Danube.Fast.Harness;

namespace Danube.Fast.EndToEnd.Tests.Telemetry;

/// <summary>Debian's Prometheus on a free port, with the project's alert rules, scraping one broker every second.</summary>
internal sealed class PrometheusServer : IAsyncDisposable
{
    private const int Attempts = 3;

    private readonly Process _process;
    private readonly DataFolder _folder;
    private readonly StringBuilder _output = new();
    private readonly HttpClient _http;

    private PrometheusServer(Process process, DataFolder folder, int port)
    {
        _process = process;
        _folder = folder;
        _http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}"), Timeout = TimeSpan.FromSeconds(60) };
        process.OutputDataReceived += (_, e) => Append(e.Data);
        process.ErrorDataReceived += (_, e) => Append(e.Data);
    }

    /// <summary>What it wrote.</summary>
    public string Output
    {
        get
        {
            lock (_output)
            {
                return _output.ToString();
            }
        }
    }

    /// <param name="target">host:port of the broker's HTTP endpoint.</param>
    /// <param name="rules">File of alert rules.</param>
    public static async Task<PrometheusServer> StartAsync(string target, string rules)
    {
        for (int attempt = 1; ; attempt++)
        {
            PrometheusServer server = await LaunchAsync(target, rules);
            try
            {
                await server.WaitUntilReadyAsync();
                return server;
            }
            catch (Exception) when (attempt < Attempts && server._process.HasExited)
            {
                await server.DisposeAsync(); // Somebody else was faster with its port.
            }
            catch
            {
                await server.DisposeAsync();
                throw;
            }
        }
    }

    private static async Task<PrometheusServer> LaunchAsync(string target, string rules)
    {
        var folder = new DataFolder();
        int port = BrokerOptions.FreePort();
        string config = Path.Combine(folder.Path, "prometheus.yml");
        await File.WriteAllTextAsync(
            config,
            $"""
            global: {"{"}scrape_interval: 1s, evaluation_interval: 1s{"}"}
            rule_files: ["{rules}"]
            scrape_configs:
              - job_name: danube
                static_configs: [{"{"}targets: ["{target}"]{"}"}]
            """);
        var start = new ProcessStartInfo(Tool("prometheus")) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in new[]
        {
            "--config.file=" + config, "--storage.tsdb.path=" + Path.Combine(folder.Path, "data"), "--log.level=warn",
            "--web.listen-address=127.0.0.1:" + port.ToString(CultureInfo.InvariantCulture), "--query.lookback-delta=15s",
        })
        {
            start.ArgumentList.Add(argument);
        }

        var server = new PrometheusServer(Process.Start(start)!, folder, port);
        server._process.BeginOutputReadLine();
        server._process.BeginErrorReadLine();
        return server;
    }

    /// <summary>Runs promtool; its exit code and what it wrote.</summary>
    public static async Task<(int ExitCode, string Output)> PromtoolAsync(string input, params string[] arguments)
    {
        var start = new ProcessStartInfo(Tool("promtool")) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), errors = process.StandardError.ReadToEndAsync();
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(90));
        return (process.ExitCode, await output + await errors);
    }

    /// <summary>Values of an instant query; throws when Prometheus refuses it.</summary>
    public async Task<double[]> QueryAsync(string expression)
    {
        using JsonDocument answer = await GetAsync("/api/v1/query?query=" + Uri.EscapeDataString(expression));
        JsonElement root = answer.RootElement;
        Assert.True(root.GetProperty("status").GetString() == "success", $"{expression}\n{root}");
        return
        [
            .. root.GetProperty("data").GetProperty("result").EnumerateArray()
                .Select(r => double.Parse(r.GetProperty("value")[1].GetString()!.Replace("Inf", "Infinity", StringComparison.Ordinal), NumberStyles.Float, CultureInfo.InvariantCulture)),
        ];
    }

    /// <summary>Alert rules as it has loaded them: name, health and last error.</summary>
    public async Task<(string Name, string Health, string Error)[]> RulesAsync()
    {
        using JsonDocument answer = await GetAsync("/api/v1/rules");
        return
        [
            .. answer.RootElement.GetProperty("data").GetProperty("groups").EnumerateArray().SelectMany(g => g.GetProperty("rules").EnumerateArray())
                .Select(r => (r.GetProperty("name").GetString()!, r.GetProperty("health").GetString()!, r.TryGetProperty("lastError", out JsonElement e) ? e.GetString()! : "")),
        ];
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _folder.Dispose();
    }

    /// <summary>On the path, or where ./danube test unpacks packages.</summary>
    private static string Tool(string name)
    {
        IEnumerable<string> folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Append(RepositoryFiles.Path("artifacts", "packages", "usr", "bin"));
        return folders.Select(f => Path.Combine(f, name)).FirstOrDefault(File.Exists)
            ?? throw new FileNotFoundException($"'{name}' is needed: ./danube test gets Debian's package prometheus; elsewhere put the program on the PATH.");
    }

    private async Task WaitUntilReadyAsync()
    {
        using var guard = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        while (true)
        {
            try
            {
                using HttpResponseMessage response = await _http.GetAsync("/-/ready", guard.Token);
                if (response.IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (HttpRequestException) when (!_process.HasExited)
            {
                // It does not listen yet.
            }

            Assert.False(_process.HasExited, Output);
            await Task.Delay(100, guard.Token);
        }
    }

    private async Task<JsonDocument> GetAsync(string path)
    {
        using HttpResponseMessage response = await _http.GetAsync(path);
        return JsonDocument.Parse(await response.Content.ReadAsStringAsync());
    }

    private void Append(string? line)
    {
        lock (_output)
        {
            _output.AppendLine(line);
        }
    }
}
